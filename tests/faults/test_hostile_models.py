"""Artifacts that are broken, wrong or mean harm: each is refused for its reason, and nothing stops.

Every case goes the whole way, from the models topic through the jail to the registry, while a good
model is current; at the end it still is.
"""

import gzip
import io
import pickle
import random
import socket
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from modelstream.core.registry import Registry
from modelstream.engines.topics import prepare
from modelstream.events import Admitted, Promoted, Rejected, decode_events
from modelstream.flow import Flow
from modelstream.log.memory import MemoryLog
from modelstream.messages import Outgoing
from modelstream.models.admit import Admitter
from modelstream.models.check import CheckRequest, CheckVerdict, Failed, Passed
from modelstream.models.jail import Jail
from modelstream.wire.descriptor import GoldenRecord, ModelDescriptor, encode_descriptor
from tests.support import graphs
from tests.support.artifacts import ROWS, adder, counts_to, nothing, only_not_zero, reads_file
from tests.support.graphs import constant, model, node, to_bytes, value

pytestmark = pytest.mark.faults

FLOW = Flow(name="wine")
X, SCORE = value("x", shape=ROWS), value("score", shape=ROWS)
ONE = constant("one", np.array([1], np.float32))


@pytest.fixture(scope="module")
def jail() -> Iterator[Jail]:
    with Jail(cpu_seconds=4) as jail:
        yield jail


class Rig:
    """A flow with records and a current model."""

    def __init__(self, jail: Jail) -> None:
        self.log = MemoryLog()
        prepare(FLOW, self.log)
        self.log.append(
            Outgoing("wine.records", [b'{"x": %d, "y": 1}' % each for each in range(9)])
        )
        self.admitter = Admitter(FLOW, self.log, jail)
        self.publish(data=adder(), name="good")

    def publish(self, **fields: Any) -> None:
        fields = {"name": "bad", "format": "onnx", **fields}
        self.log.append(Outgoing(FLOW.models, [encode_descriptor(ModelDescriptor(**fields))]))
        assert self.admitter.step(0) == 1

    def events(self) -> list[Any]:
        return decode_events(self.log.read(FLOW.registry, 0, 0, 1000, 2**30).values)

    def current(self) -> str:
        registry = Registry()
        for position, event in enumerate(self.events()):
            registry.apply(event, position)
        current = registry.current("wine")
        assert current is not None
        return current.name


@pytest.fixture
def rig(jail: Jail) -> Iterator[Rig]:
    rig = Rig(jail)
    assert [type(event) for event in rig.events()] == [Admitted, Promoted]
    yield rig
    rig.admitter.close()


def refused(rig: Rig, **fields: Any) -> Rejected:
    """Publish an artifact that must be refused and must not disturb; return the refusal."""
    rig.publish(**fields)
    *_, last = rig.events()
    assert isinstance(last, Rejected), "it came through"
    assert rig.current() == "good"
    assert last.reason
    return last


# -- not a model, or not this one -----------------------------------------------------------------


def zipped(name: str, data: bytes) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr(name, data)
    return archive.getvalue()


BROKEN: dict[str, bytes] = {
    "one byte": b"\x08",
    "zeros": bytes(4096),
    "noise": random.Random(1).randbytes(4096),
    "text": b"hello, this is a model\n" * 100,
    "json": b'{"model": [1, 2, 3]}',
    "zip": zipped("saved_model.pb", b"x"),
    "zip that climbs out": zipped("../../etc/cron.d/x", b"x"),
    "zip bomb": zipped("x", bytes(10**8)),
    "gzip bomb": gzip.compress(bytes(10**8)),
    "elf": b"\x7fELF" + bytes(1000),
    "shell": b"#!/bin/sh\ntouch /tmp/was-here\n",
    "cut to a quarter": adder()[: len(adder()) // 4],
    "cut in the middle": adder()[: len(adder()) // 2],
    "without its last byte": adder()[:-1],
    "twice": adder() + adder()[:-1],
    "an endless varint": b"\x08" + b"\xff" * 1000,
    "a length beyond the end": b"\x08\x09\x3a\xff\xff\xff\xff\x0f",
}


@pytest.mark.parametrize("format_name", ["onnx", "pmml", "pfa", "tensorflow", "tensorflow-saved"])
@pytest.mark.parametrize("what", BROKEN)
def test_what_is_no_model_is_refused(rig: Rig, what: str, format_name: str) -> None:
    refusal = refused(rig, data=BROKEN[what], format=format_name)
    assert refusal.code in {"invalid_model", "unsupported_model"}


def test_a_model_of_another_format_than_it_says_is_refused(rig: Rig) -> None:
    assert refused(rig, data=adder(), format="pmml").code == "invalid_model"
    assert refused(rig, data=b"<PMML/>", format="onnx").code == "invalid_model"
    assert refused(rig, data=adder(), format="pfa").code == "invalid_model"
    for format_name in ("tensorflow", "tensorflow-saved"):
        assert refused(rig, data=adder(), format=format_name).code == "invalid_model"


def test_a_pickle_is_refused_and_never_opened(rig: Rig, tmp_path: Path) -> None:
    canary = tmp_path / "canary"

    class Touch:
        def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
            return open, (str(canary), "w")

    for format_name in ("onnx", "pmml"):
        refused(rig, data=pickle.dumps(Touch()), format=format_name)
    assert not canary.exists()


# -- graphs that no honest exporter writes --------------------------------------------------------


def nested(depth: int) -> bytes:
    """Return branches in branches."""
    body = graphs.graph([node("Identity", ["one"], ["out"])], [], [value("out", shape=(1,))], [ONE])
    for _ in range(depth):
        inner = node("If", ["yes"], ["out"], then_branch=body, else_branch=body)
        body = graphs.graph(
            [inner], [], [value("out", shape=(1,))], [constant("yes", np.array(True))]
        )
    nodes = [
        node("If", ["yes"], ["one"], then_branch=body, else_branch=body),
        node("Add", ["x", "one"], ["score"]),
    ]
    return to_bytes(model(nodes, [X], [SCORE], [constant("yes", np.array(True))]))


def chained(operator: str, inputs: list[str], **more: Any) -> bytes:
    return to_bytes(model([node(operator, inputs, ["score"], **more)], [X], [SCORE], [ONE]))


def tampered(change: Callable[[Any], object]) -> bytes:
    """Change the message of a good model."""
    proto = graphs.parsed(adder())
    change(proto)
    return to_bytes(proto)


GRAPHS: dict[str, Callable[[], bytes]] = {
    "a weight in a file": lambda: reads_file("weights.bin"),
    "a weight in a secret file": lambda: reads_file("/etc/passwd"),
    "a weight up the tree": lambda: reads_file("../../../etc/passwd"),
    "an operator of its own": lambda: to_bytes(
        model([node("Run", ["x"], ["score"], domain="evil")], [X], [SCORE], domains=["evil"])
    ),
    "an operator of a vendor": lambda: to_bytes(
        model(
            [node("Inverse", ["x"], ["score"], domain="com.microsoft")],
            [X],
            [SCORE],
            domains=["com.microsoft"],
        )
    ),
    "an operator that is not there": lambda: chained("Nonsense", ["x"]),
    "branches without end": lambda: nested(9),
    "an input from nowhere": lambda: chained("Add", ["x", "ghost"]),
    "an output of itself": lambda: chained("Add", ["x", "score"]),
    "no graph": lambda: tampered(lambda proto: proto.ClearField("graph")),
    "no nodes": lambda: tampered(lambda proto: proto.graph.ClearField("node")),
    "no inputs": lambda: tampered(lambda proto: proto.graph.ClearField("input")),
    "no outputs": lambda: tampered(lambda proto: proto.graph.ClearField("output")),
    "no operator set": lambda: tampered(lambda proto: proto.ClearField("opset_import")),
    "an operator set of the future": lambda: tampered(
        lambda proto: setattr(proto.opset_import[0], "version", 9999)
    ),
    "an ir version of the future": lambda: tampered(
        lambda proto: setattr(proto, "ir_version", 9999)
    ),
    "the same input twice": lambda: tampered(
        lambda proto: proto.graph.input.append(proto.graph.input[0])
    ),
    "the same output twice": lambda: tampered(
        lambda proto: proto.graph.output.append(proto.graph.output[0])
    ),
    "a weight of negative size": lambda: tampered(
        lambda proto: proto.graph.initializer[0].dims.__setitem__(0, -1)
    ),
    "a weight larger than its bytes": lambda: tampered(
        lambda proto: proto.graph.initializer[0].dims.__setitem__(0, 2**40)
    ),
    "a weight whose size overflows": lambda: tampered(
        lambda proto: proto.graph.initializer[0].dims.extend([2**62, 4])
    ),
    "a weight of no type": lambda: tampered(
        lambda proto: setattr(proto.graph.initializer[0], "data_type", 999)
    ),
    "a name that is no text": lambda: adder().replace(b"score", b"s\xff\xfe\x00e"),
    "too many inputs": lambda: to_bytes(
        model(
            [node("Sum", [f"x{each}" for each in range(10_001)], ["score"])],
            [value(f"x{each}", shape=ROWS) for each in range(10_001)],
            [SCORE],
        )
    ),
}


@pytest.mark.parametrize("what", GRAPHS)
def test_a_graph_that_breaks_the_rules_is_refused(rig: Rig, what: str) -> None:
    refusal = refused(rig, data=GRAPHS[what]())
    # Ten thousand inputs can also meet the limit of processor time first, on a busy machine.
    assert refusal.code in {"invalid_model", "unsupported_model", "memory", "timeout"}


# -- models that answer badly, or never -----------------------------------------------------------


@dataclass(frozen=True)
class Case:
    """An artifact and the code and words it is refused with."""

    data: bytes
    code: str
    words: str
    golden: tuple[GoldenRecord, ...] = ()


ANSWERS = {
    "never": Case(counts_to(2**40), "timeout", "processor time"),
    "out of 4 GB": Case(graphs.bomb(2**30), "memory", "memory"),
    "out of 4 TB": Case(graphs.bomb(2**40), "memory", "memory"),
    "nothing": Case(nothing(), "no_answer", "not finite"),
    "for some records only": Case(only_not_zero(), "model_error", "score"),
    "of a field nobody has": Case(adder(field="alcohol"), "fields_missing", "lacks 'alcohol'"),
    "something else": Case(
        adder(),
        "golden_mismatch",
        "expected 7 within 0.5, got 3.0",
        (GoldenRecord('{"x": 2}', '{"score": 7}', 0.5),),
    ),
}


@pytest.mark.parametrize("what", ANSWERS)
def test_a_model_that_does_not_answer_well_is_refused(rig: Rig, what: str) -> None:
    case = ANSWERS[what]
    refusal = refused(rig, data=case.data, golden=case.golden)
    assert refusal.code == case.code
    assert case.words in refusal.reason


# -- PMML, which is XML ---------------------------------------------------------------------------

REGRESSION = """
<PMML xmlns="http://www.dmg.org/PMML-4_4" version="4.4">
  <Header/>
  <DataDictionary>
    <DataField name="x" optype="continuous" dataType="double"/>
    <DataField name="z" optype="continuous" dataType="double"/>
  </DataDictionary>
  <RegressionModel functionName="regression">
    <MiningSchema><MiningField name="x"/><MiningField name="z" usageType="target"/></MiningSchema>
    <RegressionTable intercept="{}"><NumericPredictor name="x" coefficient="2"/></RegressionTable>
  </RegressionModel>
</PMML>
"""


def entities(declarations: str, text: str = "&a;") -> bytes:
    return f"<!DOCTYPE PMML [{declarations}]>{REGRESSION.format(text)}".encode()


LAUGHS = "".join(
    f'<!ENTITY {name} "{f"&{before};" * 10}">'
    for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)


def computed(expression: str, functions: str = "") -> bytes:
    """Return the regression on a field that is computed."""
    kind = 'optype="continuous" dataType="double"'
    shared = (
        f"<TransformationDictionary>{functions}"
        f'<DerivedField name="d" {kind}>{expression}</DerivedField></TransformationDictionary>'
    )
    text = REGRESSION.format(1).replace("</DataDictionary>", f"</DataDictionary>{shared}")
    return text.replace('"x" coefficient', '"d" coefficient').strip().encode()


def function(name: str, *calls: str) -> str:
    """Return a function of one parameter that calls others with it, and adds what they answer."""
    kind = 'optype="continuous" dataType="double"'
    called = "".join(f'<Apply function="{each}"><FieldRef field="p"/></Apply>' for each in calls)
    return (
        f'<DefineFunction name="{name}" {kind}><ParameterField name="p" {kind}/>'
        f'<Apply function="sum">{called}</Apply></DefineFunction>'
    )


DOCUMENTS: dict[str, bytes] = {
    "functions that call each other": computed(
        '<Apply function="f"><FieldRef field="x"/></Apply>', function("f", "g") + function("g", "f")
    ),
    "functions that double": computed(
        '<Apply function="f40"><FieldRef field="x"/></Apply>',
        function("f0", "abs") + "".join(function(f"f{n + 1}", f"f{n}", f"f{n}") for n in range(40)),
    ),
    "a regular expression for ever": computed(
        '<Apply function="if"><Apply function="matches"><FieldRef field="x"/>'
        "<Constant>^(a+)+$</Constant></Apply><Constant>1</Constant></Apply>"
    ),
    "expressions to a great depth": computed(
        '<Apply function="abs">' * 900 + '<FieldRef field="x"/>' + "</Apply>" * 900
    ),
    "a billion laughs": entities(f'<!ENTITY a "ha">{LAUGHS}', "&i;"),
    "one entity a million times": entities(f'<!ENTITY a "{"1" * 10_000}">', "&a;" * 100_000)[
        : 900 * 1024
    ],
    "an entity of itself": entities('<!ENTITY a "&a;">'),
    "a file of this machine": entities('<!ENTITY a SYSTEM "file:///etc/passwd">'),
    "a parameter entity": entities('<!ENTITY % p SYSTEM "file:///etc/passwd">%p;', "1"),
    "a harmless entity": entities('<!ENTITY a "1">'),
    "elements without end": b"<PMML>" + b"<Extension>" * 60_000,
    "elements to a great depth": b"<PMML>" + b"<Node>" * 30_000 + b"</Node>" * 30_000 + b"</PMML>",
    "one huge name": b"<PMML><" + b"a" * 500_000 + b"/></PMML>",
    "one huge attribute": b'<PMML version="' + b"4" * 500_000 + b'"/>',
    "ten thousand attributes": b"<PMML "
    + b" ".join(b'a%d="1"' % each for each in range(10_000))
    + b"/>",
    "an encoding nobody has": b'<?xml version="1.0" encoding="x-evil"?><PMML/>',
    "a byte that is no text": b"<PMML>\xff\xfe</PMML>",
    "a null": b"<PMML>\x00</PMML>",
    "an empty document": b"<PMML/>",
    "an open end": REGRESSION.format("1").encode()[:-9],
    "a stylesheet": b'<?xml-stylesheet href="http://127.0.0.1:9/x"?><PMML/>',
    "another root": b"<html><body/></html>",
}


@pytest.mark.parametrize("what", DOCUMENTS)
def test_a_document_that_breaks_the_rules_is_refused(rig: Rig, what: str) -> None:
    refusal = refused(rig, data=DOCUMENTS[what], format="pmml")
    assert refusal.code in {"invalid_model", "unsupported_model"}


def test_a_document_fetches_nothing(rig: Rig) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        address = f"http://127.0.0.1:{listener.getsockname()[1]}/x"
        for declarations in (
            f'<!ENTITY a SYSTEM "{address}">',
            f'<!ENTITY % p SYSTEM "{address}">%p;',
        ):
            refused(rig, data=entities(declarations), format="pmml")
        dtd = f'<!DOCTYPE PMML SYSTEM "{address}">{REGRESSION.format(1)}'
        refused(rig, data=dtd.encode(), format="pmml")
        with pytest.raises(BlockingIOError):
            listener.accept()


def test_the_same_document_without_tricks_is_admitted(rig: Rig) -> None:
    rig.publish(data=REGRESSION.format("1").strip().encode(), format="pmml", name="line")
    assert rig.current() == "line"


# -- good models with a damage --------------------------------------------------------------------


def test_a_flipped_byte_is_refused_by_its_digest(rig: Rig) -> None:
    good = rig.events()[0]
    data = bytearray(adder())
    data[len(data) // 2] ^= 1
    refusal = refused(rig, data=bytes(data), digest=good.digest)
    assert refusal.code == "digest_mismatch"


def test_whatever_byte_is_flipped_the_verdict_is_orderly(jail: Jail) -> None:
    chance = random.Random(2)
    verdicts: list[CheckVerdict] = []
    for _ in range(60):
        data = bytearray(adder())
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        request = CheckRequest(data=bytes(data), format="onnx", records=(b'{"x": 1}',))
        verdicts.append(jail.check(request))
    codes = {each.code if isinstance(each, Failed) else "passed" for each in verdicts}
    assert "invalid_model" in codes
    assert "crashed" not in codes
    assert any(isinstance(each, Passed) for each in verdicts), "some bytes are but names or numbers"
