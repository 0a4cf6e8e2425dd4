"""What every format must keep, whatever it is: the contract of `formats.base`."""

import msgspec
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modelstream.engines.rows import score_rows
from modelstream.errors import InvalidModel, InvalidRecord, ModelstreamError
from modelstream.formats import format_named, formats, recognise
from modelstream.formats.base import Description, Field, Format, Hints, Model
from modelstream.messages import Column, Columns, Scores
from tests.support.format_cases import CASES, FormatCase

pytestmark = pytest.mark.parametrize(
    "case", [pytest.param(case, id=name) for name, case in CASES.items()]
)
DTYPES = {"bool": "b", "int32": "i", "int64": "i", "float32": "f", "float64": "f", "string": "O"}


def lowered(case: FormatCase) -> tuple[Format, bytes]:
    chosen = format_named(case.format, case.remote())
    return chosen, chosen.lower(case.artifact(), case.hints)


def loaded(case: FormatCase) -> Model:
    chosen, data = lowered(case)
    return chosen.load(data)


def rows_of(columns: Columns, rows: slice) -> Columns:
    return {name: column[rows] for name, column in columns.items()}


def assert_fits(model: Model, scores: Scores, rows: int) -> None:
    """Check that the columns are those of the signature, one entry a row."""
    assert list(scores) == [field.name for field in model.outputs]
    for field in model.outputs:
        column = scores[field.name]
        assert len(column) == rows
        assert column.ndim == 1 + len(field.shape)
        assert column.dtype.kind == DTYPES[field.type]


def test_the_format_is_recognised_by_its_bytes_and_has_its_name(case: FormatCase) -> None:
    assert recognise(case.artifact()).name == case.format
    assert format_named(case.format, case.remote()).name == case.format
    assert case.format in formats()


def test_lowering_twice_gives_the_same_bytes(case: FormatCase) -> None:
    assert lowered(case)[1] == lowered(case)[1]


def test_a_lowered_model_scores_every_row(case: FormatCase) -> None:
    model, columns = loaded(case), case.columns()
    scores = model.score(columns)
    assert scores.errors == {}
    assert_fits(model, scores, 13)
    assert any(len(set(map(str, column.tolist()))) > 1 for column in scores.values())


def test_the_signature_names_its_columns_once(case: FormatCase) -> None:
    model = loaded(case)
    for fields in (model.inputs, model.outputs):
        assert len(fields) > 0
        assert len({field.name for field in fields}) == len(fields)
    assert {field.name for field in model.inputs} <= set(case.columns())


def test_scoring_leaves_the_records_alone(case: FormatCase) -> None:
    model, columns = loaded(case), case.columns()
    for column in columns.values():
        column.flags.writeable = False
    model.score(columns)
    for name, column in case.columns().items():
        np.testing.assert_array_equal(columns[name], column)


def test_scoring_again_gives_the_same_answers(case: FormatCase) -> None:
    model = loaded(case)
    first, other = model.score(case.columns()), loaded(case).score(case.columns())
    for name, column in model.score(case.columns()).items():
        np.testing.assert_array_equal(column, first[name])
        np.testing.assert_array_equal(column, other[name])


@pytest.mark.parametrize("size", [1, 2, 3, 12])
def test_a_row_has_the_same_answer_in_any_batch(case: FormatCase, size: int) -> None:
    model, columns = loaded(case), case.columns()
    whole = model.score(columns)
    for start in range(0, 13, size):
        rows = slice(start, start + size)
        for name, column in model.score(rows_of(columns, rows)).items():
            np.testing.assert_array_equal(column, whole[name][rows])


@pytest.mark.parametrize("size", [1, 3, 13])
def test_records_have_the_answers_of_their_columns(case: FormatCase, size: int) -> None:
    model, columns = loaded(case), case.columns()
    for start in range(0, 13, size):
        part = rows_of(columns, slice(start, start + size))
        wanted = {name: column.tolist() for name, column in model.score(part).items()}
        given = {name: column.tolist() for name, column in part.items()}
        records = [dict(zip(given, row, strict=True)) for row in zip(*given.values(), strict=True)]
        rows = zip(*wanted.values(), strict=True)
        assert score_rows(model, records) == [dict(zip(wanted, row, strict=True)) for row in rows]


def test_a_batch_of_no_rows_has_columns_of_no_rows(case: FormatCase) -> None:
    model = loaded(case)
    assert_fits(model, model.score(rows_of(case.columns(), slice(0, 0))), 0)


def test_rows_may_come_as_views_with_strides(case: FormatCase) -> None:
    model, columns = loaded(case), case.columns()
    backward: Columns = {name: column[::-1] for name, column in columns.items()}
    whole = model.score(columns)
    for name, column in model.score(backward).items():
        np.testing.assert_array_equal(column[::-1], whole[name])


def test_columns_that_are_no_inputs_are_ignored(case: FormatCase) -> None:
    model, columns = loaded(case), case.columns()
    whole = model.score(columns)
    more: dict[str, Column] = {"not an input": np.zeros(2), **columns}
    for name, column in model.score(more).items():
        np.testing.assert_array_equal(column, whole[name])


def test_a_missing_column_is_named(case: FormatCase) -> None:
    model = loaded(case)
    for field in model.inputs:
        columns = case.columns()
        del columns[field.name]
        if field.optional:
            assert_fits(model, model.score(columns), 13)
        else:
            with pytest.raises(InvalidRecord, match=f"'{field.name}'"):
                model.score(columns)


def test_a_description_agrees_with_the_signature(case: FormatCase) -> None:
    model = loaded(case)
    description = model.describe()
    inputs = [Field(f.name, f.type, f.shape, f.optional) for f in description.inputs]
    assert inputs == list(model.inputs)
    assert [Field(f.name, f.type, f.shape) for f in description.outputs] == list(model.outputs)
    assert description.format == case.format
    assert description.version
    assert description.structure.kind
    assert description.structure.facts


def test_a_description_is_the_same_as_json(case: FormatCase) -> None:
    description = loaded(case).describe()
    written = msgspec.json.encode(description)
    assert msgspec.json.decode(written, type=Description) == description
    assert loaded(case).describe() == description


def test_a_model_is_described_after_it_was_closed(case: FormatCase) -> None:
    model = loaded(case)
    model.close()
    assert model.describe() == loaded(case).describe()


def test_a_model_is_closed_once_or_twice(case: FormatCase) -> None:
    model = loaded(case)
    model.close()
    model.close()


@pytest.mark.parametrize(
    "data", [b"", b"\x00", b"not a model", b"\xff" * 100], ids=["none", "zero", "text", "ones"]
)
def test_bytes_of_no_format_are_an_invalid_model(case: FormatCase, data: bytes) -> None:
    chosen = format_named(case.format, case.remote())
    with pytest.raises(InvalidModel):
        chosen.lower(data, Hints())
    with pytest.raises(InvalidModel):
        chosen.load(data)


@st.composite
def damages(draw: st.DrawFn) -> list[tuple[str, int, int]]:
    """Draw a few things done to bytes: what, where (in 1/2^20 of the length), and a byte."""
    kinds = st.sampled_from(["set", "cut", "drop", "repeat"])
    one = st.tuples(kinds, st.integers(0, 2**20 - 1), st.integers(0, 255))
    return draw(st.lists(one, min_size=1, max_size=4))


def damaged(data: bytes, done: list[tuple[str, int, int]]) -> bytes:
    for kind, where, byte in done:
        at = where * len(data) >> 20
        if kind == "set":
            data = data[:at] + bytes([byte]) + data[at + 1 :]
        elif kind == "cut":
            data = data[:at]
        elif kind == "drop":
            data = data[:at] + data[at + byte :]
        else:
            data = data[: at + byte] + data[at:]
    return data


def try_model(chosen: Format, data: bytes, columns: Columns) -> None:
    """Load what may be a model and score with it; only our own errors may come of it."""
    try:
        chosen.load(data).score(columns)
    except ModelstreamError:
        return


@pytest.mark.fuzz
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(done=damages())
def test_a_damaged_artifact_is_a_model_or_an_invalid_model(
    case: FormatCase, done: list[tuple[str, int, int]]
) -> None:
    chosen = format_named(case.format, case.remote())
    try:
        data = chosen.lower(damaged(case.artifact(), done), case.hints)
    except InvalidModel:
        return
    try_model(chosen, data, case.columns())


@pytest.mark.fuzz
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(done=damages())
def test_a_damaged_lowered_form_is_a_model_or_an_invalid_model(
    case: FormatCase, done: list[tuple[str, int, int]]
) -> None:
    chosen, whole = lowered(case)
    data = damaged(whole, done)
    try:
        model = chosen.load(data)
    except InvalidModel:
        return
    model.close()
    try_model(chosen, data, case.columns())
