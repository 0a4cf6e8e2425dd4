"""A few made-up rows put through a graph, to learn whether a batch gives what its rows give.

What a graph declares of its batch dimension is often wrong or silent, so it is tried. The rows are
made up, and a model may have its reasons to fail at them; then nothing is known.
"""

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from modelstream import limits
from modelstream.errors import InvalidModel, ModelFailed, UnsupportedModel
from modelstream.formats.onnx_graph.plan import Binding
from modelstream.formats.runtime import run_session
from modelstream.messages import Column

_ROWS = 3
_OPEN_SIZE = 8  # of a dimension that may have any: room for a small kernel
# How ONNX Runtime words that memory ran out; it has no error class for it.
_OUT_OF_MEMORY = ("allocate", "bad_alloc", "bad allocation")


@dataclass(frozen=True, slots=True)
class Trial:
    """What was learnt: `shapes` are those of one row of each output, by name.

    `batch`: a batch gives what its rows give. `single`: only single rows work, or rows of a batch
    change each other's answers. `unknown`: not even a single row works.
    """

    outcome: Literal["batch", "single", "unknown"]
    shapes: dict[str, tuple[int, ...]]


def try_rows(session: Any, inputs: tuple[Binding, ...]) -> Trial:
    """Run made-up rows alone and together.

    Raises InvalidModel when memory runs out, UnsupportedModel when an output is not one entry a row.
    """
    names = [output.name for output in session.get_outputs()]
    feeds = _made_up(inputs)
    try:
        rows = [
            run_session(session, names, {name: each[i : i + 1] for name, each in feeds.items()})
            for i in range(_ROWS)
        ]
    except ModelFailed as error:
        _check_memory(error)
        return Trial("unknown", {})
    shapes = {name: _row_shape(name, value) for name, value in zip(names, rows[0], strict=True)}
    try:
        batch = run_session(session, names, feeds)
    except ModelFailed as error:
        _check_memory(error)
        return Trial("single", shapes)
    same = all(_same(values[0], values[1:]) for values in zip(batch, *rows, strict=True))
    return Trial("batch" if same else "single", shapes)


def _made_up(inputs: tuple[Binding, ...]) -> dict[str, Column]:
    rng = np.random.default_rng(0)
    values = sum(math.prod(size or _OPEN_SIZE for size in each.shape) for each in inputs)
    open_size = _OPEN_SIZE if values <= limits.TENSOR_VALUES_MAX else 1
    return {each.tensor: _values(each, rng, open_size) for each in inputs}


def _values(binding: Binding, rng: np.random.Generator, open_size: int) -> Column:
    shape = (_ROWS, *(open_size if size is None else size for size in binding.shape))
    if binding.element == "string":
        return np.full(shape, "0", dtype=object)
    if binding.element.startswith("float"):
        return rng.uniform(size=shape).astype(binding.element)
    return rng.integers(0, 2, size=shape).astype(binding.element)


def _row_shape(name: str, value: Column) -> tuple[int, ...]:
    if value.shape[:1] != (1,):
        raise UnsupportedModel(
            f"output {name!r} has not one entry a row: its first dimension must be the records"
        )
    if value.size > limits.TENSOR_VALUES_MAX:
        raise InvalidModel(
            f"output {name!r} has {value.size} values a row; {limits.TENSOR_VALUES_MAX} are allowed"
        )
    return value.shape[1:]


def _same(batch: Column, rows: tuple[Column, ...]) -> bool:
    if any(row.shape[1:] != rows[0].shape[1:] for row in rows):
        return False
    expected = np.concatenate(rows)
    if batch.shape != expected.shape:
        return False
    if batch.dtype.kind == "f":
        # Far above what rounding does, far below what rows that mix do.
        return np.allclose(batch, expected, rtol=1e-3, atol=1e-5, equal_nan=True)
    return bool((batch == expected).all())


def _check_memory(error: ModelFailed) -> None:
    if any(words in str(error) for words in _OUT_OF_MEMORY):
        raise InvalidModel(f"memory runs out at a few made-up rows: {error}") from error
