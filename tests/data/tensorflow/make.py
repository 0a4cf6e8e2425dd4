"""Write what TensorFlow answers to small graphs and Keras models: run it where those are installed.

    pip install tensorflow-cpu msgspec && python make.py

`operations.msgpack.xz` has frozen graphs, `saved_models.msgpack.xz` archives of SavedModels; both
are maps of names to a model's bytes, its inputs, and its outputs where it has an answer.
"""

import io
import lzma
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keras
import msgspec
import numpy as np
import tensorflow as tf

HERE = Path(__file__).parent
RNG = np.random.default_rng(0)
raw = tf.raw_ops

# Numbers as models meet them, and those that are special.
PLAIN = RNG.normal(size=(6, 4)).astype("f4") * 3
ODD = np.array(
    [
        [np.nan, 1, -1, 0.25],
        [np.inf, -np.inf, 0, 88],
        [1e-9, -1e-9, 1e-4, -1e-4],
        [0.5, 1.5, 2.5, -0.5],
        [3, -3, 100, -100],
        [-2, 7, -0.75, 0.1],
    ],
    "f4",
)
OTHER = np.array([[1, 2, np.nan, -4], [2, 3, -1, 0], *RNG.normal(size=(4, 4))], "f4")
WHOLE = RNG.integers(-7, 8, size=(6, 4)).astype("i4")
DIVISORS = (RNG.integers(1, 4, size=(6, 4)) * RNG.choice([-1, 1], size=(6, 4))).astype("i4")
PLACES = RNG.integers(0, 6, size=(6, 4)).astype("i4")
SERIES = RNG.normal(size=(6, 3, 5)).astype("f4")
IMAGES = RNG.normal(size=(4, 5, 4, 2)).astype("f4")

UNARY = (
    "Abs Acos Acosh Asin Asinh Atan Atanh Ceil Cos Cosh Erf Erfc Exp Expm1 Floor Inv IsFinite "
    "IsInf IsNan Log Log1p Neg OnesLike Reciprocal Rint Round Rsqrt Sigmoid Sign Sin Sinh Sqrt "
    "Square Tan Tanh ZerosLike"
)
BINARY = (
    "Add AddV2 Div DivNoNan Equal FloorDiv FloorMod Greater GreaterEqual Less LessEqual Maximum "
    "Minimum Mul NotEqual Pow RealDiv SquaredDifference Sub"
)
OF_INTEGERS = "Add Div Equal FloorDiv FloorMod Less Maximum Mul Sub TruncateDiv"

Function = Callable[..., Any]
Case = tuple[Function, tuple[Any, ...]]


def weights(*shape: int) -> Any:
    """Return numbers that a model might have learnt."""
    return RNG.normal(size=shape).astype("f4")


def named(name: str, keys: str, **more: Any) -> Function:
    """Return an operation by its name; `keys` are its inputs' names in order."""
    return lambda *inputs: getattr(raw, name)(
        **dict(zip(keys.split(), inputs, strict=True)), **more
    )


def elementwise() -> Iterator[tuple[str, Case]]:
    """Yield operations that work number by number."""
    for name in UNARY.split():
        yield name, (named(name, "x"), (ODD,))
    for name in ("Elu", "LeakyRelu", "Relu", "Relu6", "Selu", "Softplus", "Softsign"):
        yield name, (named(name, "features"), (ODD,))
    for name in ("Softmax", "LogSoftmax"):
        yield name, (named(name, "logits"), (PLAIN,))
    for name in BINARY.split():
        yield name, (named(name, "x y"), (ODD, OTHER))
    whole = (WHOLE, DIVISORS)
    for name in OF_INTEGERS.split():
        yield f"{name} of integers", (named(name, "x y"), whole)
    yield "LogicalAnd", (lambda x, y: tf.logical_and(x > 0, y > 0), whole)
    yield "LogicalOr", (lambda x, y: tf.logical_or(x > 0, y > 0), whole)
    yield "LogicalNot", (lambda x: tf.logical_not(x > 0), (PLAIN,))
    yield "AddN", (lambda x, y: tf.add_n([x, y, x]), (PLAIN, OTHER))
    yield "BiasAdd", (lambda x: tf.nn.bias_add(x, [1.0, 2.0, 3.0, 4.0]), (PLAIN,))
    clip = {"clip_value_min": -1.0, "clip_value_max": 2.0}
    yield "ClipByValue", (lambda x: raw.ClipByValue(t=x, **clip), (ODD,))
    pair = (PLAIN, OTHER)
    yield "Select", (lambda x, y: raw.Select(condition=x > 0, x=x, y=y), pair)
    yield "Select by row", (lambda x, y: raw.Select(condition=x[:, 0] > 0, x=x, y=y), pair)
    yield "SelectV2", (lambda x: tf.where(x[:, :1] > 0, x, 0.0), (PLAIN,))
    kinds = (tf.int32, tf.int64, tf.bool, tf.float64)
    yield "Cast", (lambda x: [tf.cast(x, kind) for kind in kinds], (PLAIN,))


def products() -> Iterator[tuple[str, Case]]:
    """Yield operations that multiply and add up."""
    yield "MatMul", (lambda x: raw.MatMul(a=x, b=weights(4, 3)), (PLAIN,))
    turned = {"transpose_b": True}
    yield "MatMul, transposed", (lambda x: raw.MatMul(a=x, b=weights(3, 4), **turned), (PLAIN,))
    yield "BatchMatMulV2", (lambda x: tf.matmul(x, x, transpose_b=True), (SERIES,))
    yield "BatchMatMulV2, first", (lambda x: tf.matmul(x, x, transpose_a=True), (SERIES,))
    yield "a dense layer of series", (lambda x: tf.tensordot(x, weights(5, 2), 1), (SERIES,))
    yield "Einsum", (lambda x: tf.einsum("abc,cd->abd", x, weights(5, 2)), (SERIES,))
    for name in ("EuclideanNorm", "Max", "Mean", "Min", "Prod", "Sum"):
        yield name, (named(name, "input", axis=[1]), (SERIES,))
        yield f"{name}, kept", (named(name, "input", axis=[-1, 1], keep_dims=True), (SERIES,))
        yield f"{name} of missing", (named(name, "input", axis=1), (ODD,))
    yield "Mean of integers", (lambda x: raw.Mean(input=x, axis=1), (WHOLE,))
    nothing = np.zeros(0, "i4")
    yield "Sum over nothing", (lambda x: raw.Sum(input=x, axis=nothing), (SERIES,))
    yield "All", (lambda x: tf.reduce_all(x > -3, 1), (PLAIN,))
    yield "Any", (lambda x: tf.reduce_any(x > 3, 1), (PLAIN,))
    yield "Cumsum", (lambda x: tf.cumsum(x, 1, exclusive=True, reverse=True), (PLAIN,))
    learnt = {"scale": [1.0, 2], "offset": [0.1, 0.2], "mean": [0.0, 1], "variance": [1.0, 0.5]}
    yield (
        "FusedBatchNormV3",
        (
            lambda x: raw.FusedBatchNormV3(x=x, is_training=False, epsilon=1e-3, **learnt).y,
            (IMAGES,),
        ),
    )


def shaping() -> Iterator[tuple[str, Case]]:
    """Yield operations on shapes, and those that take parts."""
    yield "Reshape", (lambda x: tf.reshape(x, [-1, 15]), (SERIES,))
    yield "Reshape, computed", (lambda x: tf.reshape(x, tf.stack([tf.shape(x)[0], 15])), (SERIES,))
    yield "ExpandDims", (lambda x: tf.squeeze(tf.expand_dims(x, 1), [1]), (PLAIN,))
    yield "Transpose", (lambda x: tf.transpose(x, [0, 2, 1]), (SERIES,))
    yield "ConcatV2", (lambda x, y: tf.concat([x, y, x], -1), (PLAIN, OTHER))
    yield "Pack", (lambda x, y: tf.stack([x, y], 1), (PLAIN, OTHER))
    yield "Unpack", (lambda x: tf.unstack(x, axis=1), (PLAIN,))
    yield "Split", (lambda x: tf.split(x, 2, axis=1), (PLAIN,))
    yield "SplitV", (lambda x: tf.split(x, [1, 3], axis=1), (PLAIN,))
    yield "Tile", (lambda x: tf.tile(x, [1, 3]), (PLAIN,))
    yield "Fill", (lambda x: x + tf.fill([tf.shape(x)[0], 4], 2.0), (PLAIN,))
    yield "BroadcastTo", (lambda x: tf.broadcast_to(x, tf.stack([tf.shape(x)[0], 4])), (PLAIN,))
    yield "Range", (lambda x: x + tf.cast(tf.range(4), tf.float32), (PLAIN,))
    yield "Rank", (lambda x: x + tf.cast(raw.Rank(input=x), tf.float32), (PLAIN,))
    yield "Size", (lambda x: x + tf.cast(raw.Size(input=x[0]), tf.float32), (PLAIN,))
    long = {"out_type": tf.int64}
    yield "Shape", (lambda x: x + tf.cast(tf.shape(x, **long)[1], tf.float32), (PLAIN,))
    yield "Pad", (lambda x: tf.pad(x, [[0, 0], [1, 2]]), (PLAIN,))
    yield "PadV2", (lambda x: tf.pad(x, [[0, 0], [1, 2]], constant_values=7.0), (PLAIN,))
    yield "MirrorPad", (lambda x: tf.pad(x, [[0, 0], [1, 2]], mode="REFLECT"), (PLAIN,))
    slices: dict[str, Function] = {
        "[:, 1]": lambda x: x[:, 1],
        "[:, -1, :]": lambda x: x[:, -1, :],
        "[..., 0]": lambda x: x[..., 0],
        "[:, None, 1:, ::2]": lambda x: x[:, None, 1:, ::2],
        "[:, ::-1, -1:0:-2]": lambda x: x[:, ::-1, -1:0:-2],
        "[:, 0, None, ..., 1:3]": lambda x: x[:, 0, None, ..., 1:3],
        "[:, ..., None, -2]": lambda x: x[:, ..., None, -2],
    }
    for text, cut in slices.items():
        yield f"StridedSlice {text}", (cut, (SERIES,))
    yield "Slice", (lambda x: tf.slice(x, [0, 1, 2], [-1, 2, -1]), (SERIES,))
    yield "GatherV2", (lambda x: tf.gather(x, [2, 0], axis=1), (PLAIN,))
    yield "GatherV2 from a table", (lambda i: tf.gather(weights(6, 3), i), (PLACES,))
    table = weights(6, 3)
    yield "GatherNd", (lambda i: tf.gather_nd(table, i[..., None]), (PLACES,))
    yield "OneHot", (lambda i: tf.one_hot(i, 4), (WHOLE,))
    yield "TopKV2", (lambda x: tf.math.top_k(x, 2), (PLAIN,))
    yield "ArgMax", (lambda x: tf.argmax(x, 1), (WHOLE,))
    yield "ArgMin", (lambda x: tf.argmin(x, -1, output_type=tf.int32), (PLAIN,))


def images() -> Iterator[tuple[str, Case]]:
    """Yield convolutions and pools."""
    for padding in ("SAME", "VALID"):
        for step in (1, 2):
            told = {"strides": [1, step, step, 1], "padding": padding}
            kernel = {"filter": weights(3, 2, 2, 3), **told}
            pool = {"ksize": [1, 2, 3, 1], **told}
            for name, keys, more in (
                ("Conv2D", "input", kernel),
                ("DepthwiseConv2dNative", "input", kernel),
                ("AvgPool", "value", pool),
                ("MaxPool", "input", pool),
            ):
                yield f"{name}, {padding} by {step}", (named(name, keys, **more), (IMAGES,))
    far = {"filter": weights(3, 2, 2, 3), "strides": [1] * 4, "dilations": [1, 2, 2, 1]}
    yield "Conv2D, dilated", (lambda x: raw.Conv2D(input=x, padding="SAME", **far), (IMAGES,))
    pads = [[0, 0], [1, 2], [0, 1], [0, 0]]
    kernel_of_three = weights(3, 2, 2, 3)
    yield "Conv2D, explicit", (lambda x: tf.nn.conv2d(x, kernel_of_three, 1, pads), (IMAGES,))
    yield "Conv1D", (lambda x: tf.nn.conv1d(x, weights(2, 5, 4), 1, "SAME"), (SERIES,))


def calls() -> Iterator[tuple[str, Case]]:
    """Yield functions that call functions."""

    @tf.function
    def inner(x: Any, y: Any) -> Any:
        return tf.nn.relu(x) + y, x - y

    @tf.function
    def outer(x: Any, y: Any) -> Any:
        first, second = inner(x, y)
        values, places = tf.math.top_k(first * second, 2)
        return values + 1.0, places

    yield "PartitionedCall", (lambda x, y: list(outer(x, y)), (PLAIN, PLAIN[::-1]))


def frozen(function: Function, arrays: tuple[Any, ...]) -> tuple[bytes, list[Any]]:
    """Return a graph of inputs in0, in1 and outputs out0, out1, and its answers."""
    graph = tf.Graph()
    with graph.as_default():
        inputs = [
            tf.compat.v1.placeholder(each.dtype, [None, *each.shape[1:]], name=f"in{at}")
            for at, each in enumerate(arrays)
        ]
        answers = function(*inputs)
        answers = answers if isinstance(answers, (list, tuple)) else [answers]
        outputs = [tf.identity(each, name=f"out{at}") for at, each in enumerate(answers)]
        with tf.compat.v1.Session(graph=graph) as session:
            found = session.run(outputs, dict(zip(inputs, arrays, strict=True)))
    return graph.as_graph_def().SerializeToString(deterministic=True), found


def saved_models() -> Iterator[tuple[str, Any, dict[str, Any]]]:
    """Yield models to save, with records for them."""
    keras.utils.set_random_seed(1)
    layers = keras.layers
    wines = RNG.normal(size=(6, 11)).astype("f4") * 3 + 2
    normalization = layers.Normalization()
    normalization.adapt(wines)
    network = [
        keras.Input((11,), name="features"),
        normalization,
        layers.Dense(12, activation="relu"),
        layers.BatchNormalization(),
        layers.Dropout(0.2),
        layers.Dense(8, activation="gelu"),
        layers.LayerNormalization(),
        layers.Dense(9, activation="softmax"),
    ]
    yield "normalized", keras.Sequential(network), {"features": wines}
    sight = [
        keras.Input((5, 4, 2), name="image"),
        layers.Conv2D(4, 3, activation="relu", padding="same"),
        layers.MaxPooling2D(),
        layers.GlobalAveragePooling2D(),
        layers.Dense(2, activation="sigmoid"),
    ]
    yield "images", keras.Sequential(sight), {"image": IMAGES}
    words = keras.Input((4,), dtype="int32", name="words")
    found = layers.Embedding(6, 4)(words)
    found = layers.MultiHeadAttention(2, 4)(found, found)
    answer = layers.Dense(2)(layers.Flatten()(found))
    yield "attention", keras.Model(words, answer), {"words": PLACES}
    yield "columns", Columns(), {"a": np.arange(6), "b": PLAIN[:, 0]}
    yield "counter", Counter(), {}
    yield "table", Table(), {}


class Columns(tf.Module):
    """Two inputs and two outputs of one number a record."""

    def __init__(self) -> None:
        self.weights = tf.Variable([[1.0], [2.0]])

    @tf.function(
        input_signature=[
            tf.TensorSpec([None], tf.float32, name="b"),
            tf.TensorSpec([None], tf.int64, name="a"),
        ]
    )
    def answer(self, b: Any, a: Any) -> dict[str, Any]:
        """Answer a + b and a weighted sum of them."""
        a = tf.cast(a, tf.float32)
        return {"sum": a + b, "product": tf.stack([b, a], 1) @ self.weights}


class Counter(tf.Module):
    """A model that answers otherwise each time."""

    def __init__(self) -> None:
        self.times = tf.Variable(0.0)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.float32, name="x")])
    def answer(self, x: Any) -> dict[str, Any]:
        """Answer x + the number of the call."""
        self.times.assign_add(1.0)
        return {"y": x + self.times}


class Table(tf.Module):
    """A model that looks words up."""

    def __init__(self) -> None:
        entries = tf.lookup.KeyValueTensorInitializer(["a", "b"], [1.0, 2.0])
        self.table = tf.lookup.StaticHashTable(entries, 0.0)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="x")])
    def answer(self, x: Any) -> dict[str, Any]:
        """Answer the entries of the words."""
        return {"y": self.table.lookup(x)}


def archived(model: Any, records: dict[str, Any]) -> tuple[bytes, dict[str, Any]]:
    """Save a model; return its directory as a tar archive, and what it answers."""
    with tempfile.TemporaryDirectory() as folder:
        if isinstance(model, keras.Model):
            model.export(folder, verbose=False)
        else:
            tf.saved_model.save(model, folder, signatures=model.answer)
        answers = {}
        if records:
            serve = tf.saved_model.load(folder).signatures["serving_default"]
            given = {name: tf.constant(each) for name, each in records.items()}
            answers = {name: each.numpy() for name, each in serve(**given).items()}
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as archive:
            for path in sorted(Path(folder).rglob("*")):
                if path.is_file():
                    entry = tarfile.TarInfo(path.relative_to(folder).as_posix())
                    entry.size = path.stat().st_size
                    archive.addfile(entry, io.BytesIO(path.read_bytes()))
    return packed.getvalue(), answers


def numbers(array: Any) -> dict[str, Any]:
    """Return an array as it is written."""
    array = np.ascontiguousarray(array)
    return {"type": array.dtype.name, "shape": list(array.shape), "data": array.tobytes()}


def entry(model: bytes, inputs: dict[str, Any], outputs: dict[str, Any]) -> dict[str, Any]:
    """Return a model with its records and answers as it is written."""
    return {
        "model": model,
        "inputs": {name: numbers(each) for name, each in inputs.items()},
        "outputs": {name: numbers(each) for name, each in outputs.items()},
    }


def write(name: str, entries: dict[str, Any]) -> None:
    """Write one file."""
    data = lzma.compress(msgspec.msgpack.encode(entries), preset=9 | lzma.PRESET_EXTREME)
    (HERE / name).write_bytes(data)
    print(f"{name}: {len(entries)} models, {len(data)} bytes")


def main() -> None:
    """Write both files."""
    operations = {}
    for source in (elementwise, products, shaping, images, calls):
        for name, (function, arrays) in source():
            model, found = frozen(function, arrays)
            inputs = {f"in{at}": each for at, each in enumerate(arrays)}
            operations[name] = entry(model, inputs, {f"out{at}": e for at, e in enumerate(found)})
    write("operations.msgpack.xz", operations)
    saved = {}
    for name, model, records in saved_models():
        archive, answers = archived(model, records)
        saved[name] = entry(archive, records, answers)
    write("saved_models.msgpack.xz", saved)


if __name__ == "__main__":
    main()
