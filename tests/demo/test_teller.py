from modelstream.demo.teller import in_words
from modelstream.events import Admitted, FieldSpec, Promoted, Rejected, Retired, RolledBack


def test_every_event_of_the_registry_has_its_words() -> None:
    admitted = Admitted(
        name="m",
        version="1",
        data_type="d",
        digest="",
        format="onnx",
        lowered="",
        size=1234,
        source=0,
        at_ms=0,
        inputs=(FieldSpec("x", "float64"),) * 3,
        outputs=(),
    )
    rejected = Rejected(
        name="m",
        version=None,
        data_type="d",
        digest=None,
        code="invalid_model",
        reason="cut off",
        source=0,
        at_ms=0,
    )
    promoted = Promoted(name="m", version="1", data_type="d", source=0, at_ms=0)
    rolled_back = RolledBack(name="m", version="1", data_type="d", source=0, at_ms=0)
    retired = Retired(name="m", version="1", source=0, at_ms=0)
    assert [in_words(event) for event in (admitted, rejected, promoted, rolled_back, retired)] == [
        "admitted m@1: ONNX, 1.2 kB, reads 3 fields",
        "refused m: invalid_model: cut off",
        "m@1 is current",
        "m@1 was rolled back",
        "m@1 was retired",
    ]
