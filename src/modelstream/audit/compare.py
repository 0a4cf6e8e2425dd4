"""Old answers beside new ones, output by output: how far numbers moved, and which labels changed.

A batch is compared at once; what is kept of it are sums and counts.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import msgspec
import numpy as np

from modelstream.formats.base import Field
from modelstream.limits import REPLAY_LABEL_PAIRS_MAX
from modelstream.messages import Column

_LABELS = frozenset({"string", "bool", "int64", "int32"})


@dataclass(frozen=True, slots=True)
class LabelPair:
    """How often an old label became a new one."""

    old: str | int | float | bool | None
    new: str | int | float | bool | None
    count: int


@dataclass(frozen=True, slots=True)
class OutputChange:
    """One output in all compared records.

    For a number, `compared` are its values that both sides have (a vector has several), and the
    differences are absolute. For a label, `pairs` are the confusion counts, most frequent first;
    `other_pairs` counts those beyond REPLAY_LABEL_PAIRS_MAX. `changed` counts what differs.
    """

    name: str
    kind: Literal["number", "label"]
    compared: int
    changed: int
    largest: float | None = None
    mean: float | None = None
    pairs: tuple[LabelPair, ...] = ()
    other_pairs: int = 0


class Comparison:
    """Sums up batches of old and new answers."""

    def __init__(self) -> None:
        self._numbers: dict[str, _Numbers] = {}
        self._labels: dict[str, _Labels] = {}

    def add(
        self,
        outputs: Sequence[Field],
        old: Sequence[Any],
        new: Sequence[Any],
    ) -> None:
        """Compare answers, outputs by name, to the same records, for each of `outputs`."""
        for field in outputs:
            before = [_output(each, field.name) for each in old]
            after = [_output(each, field.name) for each in new]
            if field.type in _LABELS and not field.shape:
                self._labels.setdefault(field.name, _Labels()).add(before, after)
            elif field.type != "string":
                self._numbers.setdefault(field.name, _Numbers()).add(before, after)

    def changes(self) -> tuple[OutputChange, ...]:
        """Return what became of every output."""
        numbers = [each.change(name) for name, each in self._numbers.items()]
        return (*numbers, *(each.change(name) for name, each in self._labels.items()))


def _output(answer: Any, name: str) -> Any:
    return answer.get(name) if isinstance(answer, dict) else None


class _Numbers:
    """The absolute differences of a number or a tensor of numbers."""

    def __init__(self) -> None:
        self._compared = self._changed = 0
        self._largest = self._total = 0.0

    def add(self, old: Sequence[Any], new: Sequence[Any]) -> None:
        before, after = _matrix(old), _matrix(new)
        if before is not None and after is not None and before.shape == after.shape:
            self._add(before, after)
            return
        for left, right in zip(old, new, strict=True):
            before, after = _matrix([left]), _matrix([right])
            if before is not None and after is not None and before.shape == after.shape:
                self._add(before, after)

    def _add(self, before: Column, after: Column) -> None:
        both = np.isfinite(before) & np.isfinite(after)
        with np.errstate(over="ignore"):
            differences = np.abs(after[both] - before[both])
            self._total += float(differences.sum())
        self._compared += differences.size
        self._changed += int(np.count_nonzero(differences))
        self._largest = max(self._largest, float(differences.max(initial=0.0)))

    def change(self, name: str) -> OutputChange:
        return OutputChange(
            name,
            "number",
            self._compared,
            self._changed,
            largest=self._largest if self._compared else None,
            mean=self._total / self._compared if self._compared else None,
        )


class _Labels:
    """The pairs of old and new labels."""

    def __init__(self) -> None:
        self._pairs: Counter[tuple[Any, Any]] = Counter()
        self._others = 0
        self._compared = self._changed = 0

    def add(self, old: Sequence[Any], new: Sequence[Any]) -> None:
        pairs = Counter(zip(map(_label, old), map(_label, new), strict=True))
        self._compared += len(new)
        self._changed += sum(count for (a, b), count in pairs.items() if a != b)
        for pair, count in pairs.items():
            if pair in self._pairs or len(self._pairs) < REPLAY_LABEL_PAIRS_MAX:
                self._pairs[pair] += count
            else:
                self._others += count

    def change(self, name: str) -> OutputChange:
        pairs = tuple(LabelPair(old, new, n) for (old, new), n in self._pairs.most_common())
        return OutputChange(
            name, "label", self._compared, self._changed, pairs=pairs, other_pairs=self._others
        )


def _matrix(values: Sequence[Any]) -> Column | None:
    """Lay numbers, or lists of them, into float64 with NaN for None; None where they are neither.

    The shape is (records, values of one).
    """
    depth, kind = _depth(values), float | None
    shape: Any = kind
    for _ in range(depth):
        shape = list[shape]
    try:
        checked = msgspec.convert(values, list[shape])
        return np.array(checked, dtype=np.float64).reshape(len(values), -1)
    except (msgspec.ValidationError, ValueError, OverflowError):
        return None


def _depth(values: Sequence[Any]) -> int:
    """Return how deep the first value is nested in lists."""
    value, depth = values[0] if values else None, 0
    while isinstance(value, list):
        depth += 1
        value = value[0] if value else None
    return depth


def _label(value: Any) -> Any:
    """Return what a label is counted by; a list or an object by its text."""
    return value if isinstance(value, (str, int, float, bool, type(None))) else str(value)
