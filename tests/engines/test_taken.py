"""Records that several versions are asked about are read once by those that read them alike."""

import threading

import pytest

from modelstream.engines.taken import Taken
from modelstream.formats.base import Field
from modelstream.wire.columns import MixedShapes
from modelstream.wire.json import Decoded, Decoder

X, Y = Field("x", "float64"), Field("y", "float64")


def test_what_is_read_alike_is_read_once() -> None:
    taken = Taken([b'{"x":1,"y":2}', b'{"x":3}'])
    first = taken.read_by(Decoder([X]))
    assert taken.read_by(Decoder([X])) is first
    assert first.columns["x"].tolist() == [1.0, 3.0]
    assert taken.read_by(Decoder([X, Y])).rows == [0]
    assert taken.read_by(Decoder([X], {"x": "y"})).rows == [0]
    assert Taken([{"x": 1}]).read_by(Decoder([X])).columns["x"].tolist() == [1.0]
    assert Taken([]).read_by(Decoder([X])).rows == range(0)


def test_many_threads_read_once() -> None:
    taken, decoder = Taken([b'{"x":1}'] * 1000), Decoder([X])
    found: list[Decoded] = []
    threads = [
        threading.Thread(target=lambda: found.append(taken.read_by(decoder))) for _ in range(8)
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len({id(each) for each in found}) == 1


def test_what_cannot_be_laid_out_is_told_to_everybody() -> None:
    vector = Field("x", "float64", (None,))
    taken = Taken([b'{"x":[1]}', b'{"x":[1,2]}'])
    for _ in range(2):
        with pytest.raises(MixedShapes):
            taken.read_by(Decoder([vector]))
