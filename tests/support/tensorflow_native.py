"""What is done where TensorFlow is installed: each function here is one run, told as JSON.

`python -m tests.support.tensorflow_native NAME PLACE DATA`, in the environment of the peers.
"""

import base64
import json
import os
import signal
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

import modelstream as ms
from modelstream.errors import ModelFailed, ModelTimedOut, UnsupportedModel
from modelstream.formats import format_named, read_artifact, runtimes
from modelstream.formats.base import Hints
from modelstream.formats.onnx_graph.writer import Declared
from modelstream.formats.tensorflow.frozen import GraphDefFormat
from modelstream.formats.tensorflow.native.form import is_native
from modelstream.formats.tensorflow.native.lowering import Served, lower_native
from modelstream.formats.tensorflow.native.model import NativeModel
from modelstream.formats.tensorflow.nodes import Ref
from modelstream.formats.tensorflow.saved.archive import GRAPH, unpack
from modelstream.formats.tensorflow.saved.format import served_part
from modelstream.formats.tensorflow.saved.signature import choose_signature, served_graph
from modelstream.formats.tensorflow.tensors import FLOAT
from modelstream.wire.proto import tensorflow_subset_pb2 as pb
from tests.support.tensorflow import graph, node, placeholder, to_bytes
from tests.support.waiting import children_of

FORCED = UnsupportedModel("forced")


def wine(_place: Path, data: Path) -> Any:
    """Score the wines with both models, rewritten as ONNX and by TensorFlow itself."""
    records = np.loadtxt(data / "wine" / "winequality_red.csv", delimiter=";")[:, :11]
    frozen = read_artifact(data / "wine" / "optimized_WineQuality.pb")
    saved = read_artifact(data / "wine" / "saved" / "1")
    hints = Hints(runtimes=runtimes())
    graph_def = pb.GraphDef.FromString(frozen)
    (fed,) = [each.name for each in graph_def.node if each.op == "Placeholder"]
    declared = Declared("inputs", np.dtype(np.float32), (None, 11))
    ends = [("outputs", Ref("dense_3/Sigmoid", 0))]
    files = unpack(saved)
    meta = served_graph(files[GRAPH])
    served = [
        Served(graph_def, {Ref(fed, 0): declared}, ends, "tensorflow", ""),
        served_part(meta, choose_signature(meta.signature_def), files),
    ]
    told = []
    for artifact, name, part in zip(
        (frozen, saved), ("tensorflow", "tensorflow-saved"), served, strict=True
    ):
        chosen = format_named(name)
        ours = chosen.load(chosen.lower(artifact, Hints()))
        theirs = chosen.load(lower_native(part, hints, FORCED))
        (mine,) = ours.score({ours.inputs[0].name: records}).values()
        (native,) = theirs.score({"inputs": records}).values()
        told.append([native.shape, float(np.abs(mine - native).max()), mine.dtype == native.dtype])
        ours.close()
        theirs.close()
    return told


def half_plus_two(_place: Path, data: Path) -> Any:
    """Score the numbers 0, 1 and 2, as numbers and as tf.Examples."""
    artifact = read_artifact(data / "tensorflow" / "half_plus_two")
    told: dict[str, Any] = {}
    numbers = np.array([0.0, 1.0, 2.0])
    plain = ms.load_model(artifact)
    told["serving_default"] = plain.score({"x": numbers})["y"].tolist()
    examples = np.array([_example("x", number) for number in numbers], dtype=object)
    for name in ("regress_x_to_y", "regress_x_to_y2"):
        model = ms.load_model(artifact, signature=name)
        assert isinstance(model, NativeModel)
        told[name] = model.score({"inputs": examples})["outputs"].tolist()
        try:
            model.score({"inputs": np.array(["no example"], dtype=object)})
        except ModelFailed as error:
            told["error"] = str(error)
        model.close()
    return told


def keras(place: Path, _data: Path) -> Any:
    """Export a Keras 3 model with a Normalization layer, and one that looks words up."""
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    import keras as k
    import tensorflow as tf

    rng = np.random.default_rng(7)
    rows = rng.normal(3, 2, (50, 4)).astype(np.float32)
    layer = k.layers.Normalization()
    layer.adapt(rows)
    net = k.Sequential([k.Input((4,)), layer, k.layers.Dense(8, "gelu"), k.layers.Dense(2)])
    net.export(str(place / "net"), verbose=False)
    words = k.layers.StringLookup(vocabulary=["red", "white"])
    module = tf.Module()
    module.table = words
    module.weights = tf.Variable([[0.5], [1.5], [2.5]])
    module.__call__ = tf.function(
        lambda word: {"price": tf.gather(module.weights, words(word))[:, 0]},
        input_signature=[tf.TensorSpec([None], tf.string, name="word")],
    )
    tf.saved_model.save(module, str(place / "words"), signatures=module.__call__)
    expected = net(rows).numpy()
    model = ms.load_model(place / "net")
    (scores,) = model.score({model.inputs[0].name: rows}).values()
    looked = ms.load_model(place / "words")
    found = looked.score({"word": np.array(["white", "red", "green"], dtype=object)})
    told = {
        "native": isinstance(model, NativeModel),
        "difference": float(np.abs(scores - expected).max()),
        "words": found["price"].tolist(),
        "looked up natively": isinstance(looked, NativeModel),
    }
    model.close()
    looked.close()
    return told


def stream(place: Path, _data: Path) -> Any:
    """Publish a model whose operation is not rewritten; kill its process in mid-stream."""
    flow = ms.Flow(name="texts", log=f"file:{place / 'log'}")
    records = [b'{"word": "%d"}' % number for number in range(3_000)]
    with closing(ms.open_log(flow.log)) as log:
        ms.publish(log, flow, hashing(), name="hash", format="tensorflow")
        ms.publish(log, flow, reading(), name="thief", format="tensorflow")
        from modelstream.messages import Outgoing

        log.append(Outgoing("texts.records", records))
        killed: list[int] = []

        def on_turn(_engine: Any, done: int) -> None:
            if done and len(killed) < 2:
                for pid in grandchildren():
                    os.kill(pid, signal.SIGKILL)
                    killed.append(pid)

        answered = ms.serve(flow, log, once=True, on_turn=on_turn)
        results = log.read("texts.results", 0, 0, 5_000, 1 << 30)
        rejected = [json.loads(v) for v in log.read("texts.registry", 0, 0, 10, 1 << 20).values]
        return {
            "answered": answered,
            "results": len(results),
            "killed": len(killed),
            "events": [each["event"] for each in rejected],
            "refused": [each["reason"] for each in rejected if each["event"] == "rejected"],
            "imported here": "tensorflow" in sys.modules,
            "classes": len({json.loads(v)["outputs"]["bucket"] for v in results.values}),
        }


def hang(_place: Path, _data: Path) -> Any:
    """Score with a graph that never ends for some records."""
    from modelstream.formats.tensorflow.native.form import decode_form
    from modelstream.formats.tensorflow.native.runtime import shared_runtime
    from modelstream.formats.tensorflow.native.session import NativeSession

    lowered = GraphDefFormat().lower(counting(), Hints(runtimes=runtimes()))
    assert is_native(lowered)
    session = NativeSession(decode_form(lowered), shared_runtime(), score_seconds=1.0)
    told: list[Any] = []
    for start in (5.0, -1.0, 7.0):
        try:
            told.append(session.run(["y"], {"x": np.array([start], np.float32)})[0].tolist())
        except ModelTimedOut as error:
            told.append(str(error))
    session.close()
    return told


def grandchildren() -> list[int]:
    """Return the processes that run models: children of those that this process's threads started."""
    threads = Path("/proc/self/task").iterdir()
    started = [int(pid) for each in threads for pid in (each / "children").read_text().split()]
    return [pid for child in started for pid in children_of(child)]


def hashing() -> bytes:
    """Return a graph of an operation that has no counterpart in ONNX."""
    hashed = node("bucket", "StringToHashBucketFast", ["word"], num_buckets=10)
    return to_bytes(graph(placeholder("word", (-1,), 7), hashed))


def reading() -> bytes:
    """Return a graph that reads a file of the machine."""
    return to_bytes(graph(placeholder("name", (-1,), 7), node("content", "ReadFile", ["name"])))


def counting() -> bytes:
    """Return a graph that counts down to 0, in a loop of TensorFlow 1, by steps of 1."""
    kind = ("type", FLOAT)
    return to_bytes(
        graph(
            placeholder("x", (-1,)),
            node("in", "Enter", ["x"], T=kind, frame_name="loop"),
            node("merged", "Merge", ["in", "next"], T=kind, N=2),
            node("zero", "Const", ["^merged"], value=np.array(0, np.float32), dtype=kind),
            node("one", "Const", ["^merged"], value=np.array(1, np.float32), dtype=kind),
            node("axis", "Const", ["^merged"], value=np.array([0], np.int32), dtype=("type", 3)),
            node("apart", "NotEqual", ["merged", "zero"], T=kind),
            node("any", "Any", ["apart", "axis"], Tidx=("type", 3)),
            node("go", "LoopCond", ["any"]),
            node("switch", "Switch", ["merged", "go"], T=kind),
            node("less", "Sub", ["switch:1", "one"], T=kind),
            node("next", "NextIteration", ["less"], T=kind),
            node("y", "Exit", ["switch"], T=kind),
        )
    )


def _example(name: str, number: float) -> str:
    """Return a serialized tf.Example of one number, as a data URL."""
    floats = b"\x0a\x04" + np.float32(number).tobytes()
    feature = b"\x12" + bytes([len(floats)]) + floats
    entry = b"\x0a" + bytes([len(name)]) + name.encode() + b"\x12" + bytes([len(feature)]) + feature
    features = b"\x0a" + bytes([len(entry)]) + entry
    example = b"\x0a" + bytes([len(features)]) + features
    return "data:;base64," + base64.b64encode(example).decode()


def main() -> None:
    """Do one run and print what it tells."""
    name, place, data = sys.argv[1:]
    runs = {each.__name__: each for each in (wine, half_plus_two, keras, stream, hang)}
    print(json.dumps(runs[name](Path(place), Path(data))))


if __name__ == "__main__":
    main()
