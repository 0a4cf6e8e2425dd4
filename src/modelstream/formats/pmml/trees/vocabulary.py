"""The values of one field that trees ask for, numbered so that their tests are cheap.

Of a closed field all values are known beforehand: a set and its complement are then one question,
and where all sets of a field are nested, each is what is up to some number. The kernel compares
numbers several times as fast as it looks them up in sets.
"""

from collections.abc import Collection, Sequence
from itertools import pairwise

from modelstream.formats.pmml.fields.values import Scalar
from modelstream.formats.pmml.trees.decisions import Asked, Question
from modelstream.formats.trees.onnx_graph import EQUAL, LESS_OR_EQUAL, MEMBER

Values = frozenset[Scalar]


class Vocabulary:
    """The values of the field `name`; `closed` are all that can be in it, empty if unknown."""

    def __init__(self, name: str, closed: Sequence[Scalar] = ()) -> None:
        self.name = name
        self.codes = {value: float(code) for code, value in enumerate(closed)}
        self._whole = frozenset(self.codes.values())

    def is_in(self, number: int, values: Collection[Scalar]) -> Asked:
        """Return the question whether the input of this number is one of some values."""
        codes = frozenset(map(self._code, values))
        if not self._whole:
            return Asked(Question(number, MEMBER, 0.0, tuple(sorted(codes))))
        holds_first = 0.0 in codes
        rest = self._whole - codes if holds_first else self._whole & codes
        if not rest or min(rest) == len(self._whole) - len(rest):
            split = len(self._whole) - len(rest) - 0.5
            return Asked(Question(number, LESS_OR_EQUAL, split), not holds_first)
        return Asked(Question(number, MEMBER, 0.0, tuple(sorted(rest))), holds_first)

    def equals(self, number: int, value: Scalar) -> Asked:
        """Return the question whether the input of this number is a value."""
        asked = self.is_in(number, (value,))
        if asked.question.mode == LESS_OR_EQUAL:
            return asked
        return Asked(Question(number, EQUAL, self._code(value)))

    def _code(self, value: Scalar) -> float:
        return self.codes.setdefault(value, float(len(self.codes)))


def nested(values: Sequence[Scalar], sets: Collection[Values]) -> Sequence[Scalar]:
    """Return the values in an order in which each set, or its complement, stands at the front.

    Where there is no such order, they are returned as they are.
    """
    whole = frozenset(values)
    for first in values:
        fronts = {whole & each if first in each else whole - each for each in sets}
        if len(fronts) > len(values):
            break  # as many as that cannot be nested
        ordered = sorted(fronts, key=len)
        if all(shorter <= longer for shorter, longer in pairwise(ordered)):
            return sorted(values, key=lambda value: sum(value not in front for front in ordered))
    return values
