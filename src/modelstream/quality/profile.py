"""Profiles of columns, and how far others are from them: PSI and KS.

The population stability index is the sum of (a - e) ln(a / e) over a column's parts, with the shares e of
the profile and a of now; 0.1 is read as a small shift and 0.2 as one to act on (Siddiqi, Credit Risk
Scorecards, 2006). The statistic of Kolmogorov and Smirnov is the largest difference of the cumulated
shares at the parts' edges; for classes, half the sum of differences.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from modelstream.events import ColumnProfile, Drift
from modelstream.limits import PROFILE_CLASSES_MAX, PROFILE_PARTS
from modelstream.messages import Column

# What an empty part counts as, of all records: without it one missing class were an infinite shift.
_EMPTY = 0.0005
_MISSING, _OTHERS = "(missing)", "(others)"


def profile_of(column: str, version: str, values: Sequence[Any]) -> ColumnProfile | None:
    """Return the profile of a column's values; None where they are neither numbers nor classes.

    Numbers are parted at their quantiles; with few different ones each is a class.
    """
    numbers = _numbers(values)
    present = numbers[np.isfinite(numbers)]
    if len(present) > len(values) / 2:
        different = np.unique(present)
        if len(different) > PROFILE_CLASSES_MAX:
            cuts = np.linspace(0, 1, PROFILE_PARTS + 1)[1:-1]
            edges = tuple(np.unique(np.quantile(present, cuts)).tolist())
            return _made(
                ColumnProfile(column=column, version=version, records=0, shares=(), edges=edges),
                values,
            )
    names = Counter(map(_class_of, values))
    if len(names) > len(values) / 2:
        return None  # they are identifiers
    classes = tuple(sorted(name for name, _ in names.most_common(PROFILE_CLASSES_MAX)))
    empty = ColumnProfile(column=column, version=version, records=0, shares=(), classes=classes)
    return _made(empty, values)


def counts_of(profile: ColumnProfile, values: Sequence[Any]) -> Column:
    """Return how many values fall in each part of a profile; the last part are missing, or others."""
    if profile.classes:
        places = {name: place for place, name in enumerate(profile.classes)}
        found = [places.get(_class_of(value), len(places)) for value in values]
        return np.bincount(found, minlength=len(places) + 1)
    numbers = _numbers(values)
    where = np.searchsorted(np.array(profile.edges), numbers, side="right")
    parts = len(profile.edges) + 1
    return np.bincount(np.where(np.isfinite(numbers), where, parts), minlength=parts + 1)


@dataclass(slots=True)
class Watched:
    """A column beside its profile: what was counted in a window."""

    profile: ColumnProfile
    counts: Column = field(init=False)

    def __post_init__(self) -> None:
        """Begin with nothing."""
        self.counts = np.zeros(len(self.profile.shares), np.int64)

    def add(self, values: Sequence[Any]) -> None:
        """Count values."""
        self.counts += counts_of(self.profile, values)

    def drift(self) -> Drift:
        """Return how far the counts are from the profile."""
        records = int(self.counts.sum())
        expected = np.array(self.profile.shares)
        actual = self.counts / max(records, 1)
        return Drift(
            column=self.profile.column,
            version=self.profile.version,
            records=records,
            psi=psi(expected, actual),
            ks=ks(expected, actual, ordered=not self.profile.classes),
        )


def psi(expected: Column, actual: Column) -> float:
    """Return the population stability index of two sets of shares."""
    one, other = np.maximum(expected, _EMPTY), np.maximum(actual, _EMPTY)
    return float(((other - one) * np.log(other / one)).sum())


def ks(expected: Column, actual: Column, *, ordered: bool) -> float:
    """Return the largest difference of the cumulated shares or, without an order, of any sum of them."""
    difference = actual - expected
    if ordered:
        return float(np.abs(np.cumsum(difference)).max())
    return float(np.abs(difference).sum() / 2)


def _made(empty: ColumnProfile, values: Sequence[Any]) -> ColumnProfile:
    counts = counts_of(empty, values)
    return ColumnProfile(
        column=empty.column,
        version=empty.version,
        records=len(values),
        shares=tuple((counts / len(values)).tolist()),
        edges=empty.edges,
        classes=empty.classes,
    )


def _numbers(values: Sequence[Any]) -> Column:
    """Return values as numbers; NaN for what is none."""
    return np.array(
        [
            float(each)
            if isinstance(each, int | float) and not isinstance(each, bool)
            else math.nan
            for each in values
        ]
    )


def _class_of(value: Any) -> str:
    if value is None:
        return _MISSING
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)[:100] if isinstance(value, str | int | float) else _OTHERS
