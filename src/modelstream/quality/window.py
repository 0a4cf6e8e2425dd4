"""What is counted of a data type's answers while the same versions give them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from modelstream.events import ColumnProfile, Reach
from modelstream.limits import DRIFT_RECORDS_MIN, PROFILE_COLUMNS_MAX
from modelstream.messages import VersionId
from modelstream.models.measurements import Report
from modelstream.quality.metrics import Label
from modelstream.quality.profile import Watched, profile_of
from modelstream.quality.tally import Tally
from modelstream.quality.told import Told

# Profiles by version ("" for inputs) and column.
Profiles = Mapping[tuple[str, str], ColumnProfile]


@dataclass(slots=True)
class Window:
    """One window: answers given from registry offset `position` on, read from `since` on."""

    data_type: str
    position: int
    began_ms: int
    since: Reach
    tallies: dict[VersionId, Tally] = field(default_factory=dict)
    watched: dict[tuple[str, str], Watched] = field(default_factory=dict)
    fresh: bool = False  # something was counted since it was told

    def add(self, told: Sequence[Told], given: VersionId | None) -> None:
        """Count what versions said of one record; the answer was given by one of them, or is a reject."""
        self.fresh = self.fresh or bool(told)
        answer = next((each.outputs for each in told if each.version == given), None)
        for each in told:
            tally = self.tallies.setdefault(each.version, Tally())
            tally.add(each)
            if answer is not None and each.outputs is not None and each.version != given:
                tally.compare(each.outputs, answer)

    def label(self, truth: Label, told: Sequence[Told]) -> None:
        """Count the label of a record that was counted before."""
        self.fresh = True
        for each in told:
            if each.outputs is not None:
                self.tallies.setdefault(each.version, Tally()).label(truth, each.outputs)

    def watch(self, profile: ColumnProfile, values: Sequence[Any]) -> None:
        """Count a column's values beside its profile."""
        key = (profile.version, profile.column)
        if key not in self.watched:
            self.watched[key] = Watched(profile)
        self.watched[key].add(values)

    def report(self, until: Reach, profiles: Sequence[ColumnProfile]) -> Report:
        """Return what was counted."""
        self.fresh = False
        drifts = (each.drift() for each in self.watched.values())
        return Report(
            window=self.position,
            began_ms=self.began_ms,
            since=self.since,
            until=until,
            versions=tuple(tally.figures(each) for each, tally in sorted(self.tallies.items())),
            drifts=tuple(each for each in drifts if each.records >= DRIFT_RECORDS_MIN),
            profiles=tuple(profiles),
        )


@dataclass(slots=True)
class Profiler:
    """Gathers the first `wanted` records of a data type, and of each version's scores, as profiles.

    `made` are those that the registry does not have yet.
    """

    wanted: int
    made: dict[tuple[str, str], ColumnProfile] = field(default_factory=dict)
    _gathered: dict[str, dict[str, list[Any]]] = field(default_factory=dict)

    def add(
        self, version: str, rows: Sequence[Mapping[str, Any]], known: Profiles, window: Window
    ) -> None:
        """Take in rows of inputs, or of a version's outputs: for the profile, or beside it."""
        there = {
            column: each for (of, column), each in {**known, **self.made}.items() if of == version
        }
        if there:
            for column, profile in there.items():
                window.watch(profile, [row.get(column) for row in rows])
            return
        columns = self._gathered.setdefault(version, {})
        before = max(map(len, columns.values()), default=0)
        for name in dict.fromkeys(name for row in rows for name in row):
            if name in columns or len(columns) < PROFILE_COLUMNS_MAX:
                values = columns.setdefault(name, [None] * before)
                values.extend(_plain(row.get(name)) for row in rows)
        if before + len(rows) >= self.wanted:
            self._make(version)

    def confirmed(self, known: Profiles) -> None:
        """Forget what the registry has by now."""
        self.made = {key: each for key, each in self.made.items() if key not in known}

    def _make(self, version: str) -> None:
        for column, values in self._gathered.pop(version).items():
            profile = profile_of(column, version, values)
            if profile is not None:
                self.made[version, column] = profile


def rows_of(records: Sequence[msgspec.Raw]) -> list[dict[str, Any]]:
    """Read records as objects; what is none has no columns."""
    decode = msgspec.json.Decoder().decode
    found = map(decode, records)
    return [each if isinstance(each, dict) else {} for each in found]


def _plain(value: Any) -> Any:
    return None if isinstance(value, dict | list) else value
