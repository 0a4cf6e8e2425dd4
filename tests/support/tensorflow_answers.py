"""What TensorFlow itself answered to some models: tests/data/tensorflow, made by make.py there."""

import lzma
from functools import cache
from pathlib import Path

import msgspec
import numpy as np

from modelstream.messages import Column, Columns

_FOLDER = Path(__file__).resolve().parents[1] / "data" / "tensorflow"


class Numbers(msgspec.Struct, frozen=True):
    """An array as it is written."""

    type: str
    shape: tuple[int, ...]
    data: bytes

    def array(self) -> Column:
        """Return the numbers; a row of one number is that number, as modelstream has it."""
        found = np.frombuffer(self.data, self.type).reshape(self.shape)
        return found.reshape(-1) if found.shape[1:] == (1,) else found


class Answer(msgspec.Struct, frozen=True):
    """A model, records for it, and what it answers."""

    model: bytes
    inputs: dict[str, Numbers]
    outputs: dict[str, Numbers]

    def columns(self) -> Columns:
        """Return the records."""
        return {name: each.array() for name, each in self.inputs.items()}

    def expected(self) -> Columns:
        """Return the answers."""
        return {name: each.array() for name, each in self.outputs.items()}


@cache
def operations() -> dict[str, Answer]:
    """Return frozen graphs of few operations."""
    return _read("operations.msgpack.xz")


@cache
def saved_models() -> dict[str, Answer]:
    """Return archives of SavedModels."""
    return _read("saved_models.msgpack.xz")


def _read(name: str) -> dict[str, Answer]:
    data = lzma.decompress((_FOLDER / name).read_bytes())
    return msgspec.msgpack.decode(data, type=dict[str, Answer])
