"""The fold of the registry topic: which versions exist, their states, who is current, and the plans.

A data type's history is the stack of versions that were promoted for it; the current version is
the top of the stack, so that rollback and retirement are the same step down. Of those versions,
each name has a stack of its own, whose top is current for that name.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from modelstream.events import (
    Admitted,
    ColumnProfile,
    Drifted,
    Measured,
    Planned,
    Promoted,
    RegistryEvent,
    Rejected,
    Released,
    Retired,
    RolledBack,
    version_of,
)
from modelstream.limits import JUDGED_LABELS_MIN, ROLLBACK_DEPTH_MAX
from modelstream.messages import VersionId

VersionState = Literal["admitted", "current", "retired"]


@dataclass(frozen=True, slots=True)
class Version:
    """What the registry knows of one admitted version."""

    id: VersionId
    admitted: Admitted
    position: int  # registry offset of its admission
    retired: bool = False
    promotions: int = 0
    since_ms: int | None = None  # time of its last promotion


class Registry:
    """The fold. `position` is the offset of the last applied event, -1 before the first."""

    def __init__(self) -> None:
        self.position = -1
        self.versions: dict[VersionId, Version] = {}
        self.rejections: list[tuple[int, Rejected]] = []
        self.plans: dict[str, Planned] = {}  # by data type; "" for those without one of their own
        self.plan_count = 0
        self.declared = ""  # the policy that the flow declared last
        self.releases: dict[str, Released] = {}  # those going on, by data type
        self.ended: list[Released] = []
        self.measured: dict[str, Measured] = {}  # the last one of each data type
        self.live: dict[VersionId, dict[str, float]] = {}  # metrics by enough labels
        self.profiles: dict[str, dict[tuple[str, str], ColumnProfile]] = {}
        self.alarms: dict[tuple[str, str, str], Drifted] = {}  # data type, version, column
        self.windows: dict[str, int] = {}  # offset of the last change of who answers
        self._history: dict[str, list[VersionId]] = {}
        self._of_names: dict[tuple[str, str], list[VersionId]] = {}
        self._by_name: dict[str, list[VersionId]] = {}
        self._by_digest: dict[tuple[str, str], list[VersionId]] = {}

    def apply(self, event: RegistryEvent, position: int) -> tuple[str, ...]:
        """Apply one event; return the data types whose answers may come from others now.

        Events must come in log order. An event about an unknown version is no event of a correct
        admitter: it is an assertion, not an input error.
        """
        assert position > self.position, "registry events are applied once and in order"
        self.position = position
        match event:
            case Promoted() | RolledBack() | Retired() | Planned():
                changed = self._change(event)
                self.windows.update(dict.fromkeys(changed, position))
                return changed
            case Admitted():
                self._admit(event, position)
                return (event.data_type,)
            case Measured():
                self._measure(event)
                return (event.data_type,)
            case Released():
                self._release(event)
            case Drifted(drift=drift):
                key = (event.data_type, drift.version, drift.column)
                self.alarms.pop(key, None)
                if event.alarm:
                    self.alarms[key] = event
            case _:
                self.rejections.append((position, event))
        return ()

    def current(self, data_type: str) -> VersionId | None:
        """Return the version that answers for a data type, None before the first promotion."""
        history = self._history.get(data_type)
        return history[-1] if history else None

    def plan(self, data_type: str) -> Planned | None:
        """Return how answers for a data type are found; None while nothing was said of it."""
        return self.plans.get(data_type) or self.plans.get("")

    def resolve(self, data_type: str, ref: str) -> VersionId | None:
        """Return the version that a policy means: "", a name, or `name@version`; None for none.

        A name that has an @ in it is looked for first.
        """
        if not ref:
            return self.current(data_type)
        of_name = self._of_names.get((data_type, ref))
        if of_name:
            return of_name[-1]
        name, _, version = ref.rpartition("@")
        known = self.versions.get(VersionId(name, version))
        usable = known and not known.retired and known.admitted.data_type == data_type
        return known.id if known and usable else None

    def previous(self, data_type: str) -> VersionId | None:
        """Return the version that a rollback would make current."""
        history = self._history.get(data_type, [])
        return history[-2] if len(history) > 1 else None

    def recent(self, data_type: str, count: int) -> tuple[VersionId, ...]:
        """Return the current version and those before it, newest first, at most `count`."""
        return tuple(reversed(self._history.get(data_type, [])[-count:]))

    def data_types(self) -> tuple[str, ...]:
        """Return every data type that has, or had, a current version."""
        return tuple(self._history)

    def state(self, version: VersionId) -> VersionState:
        """Return where a known version is in its life. Raises KeyError for an unknown one."""
        known = self.versions[version]
        if known.retired:
            return "retired"
        return "current" if self.current(known.admitted.data_type) == version else "admitted"

    def next_version(self, name: str) -> str:
        """Return the number that the next unnumbered version of this name gets."""
        number = len(self._by_name.get(name, ())) + 1
        while VersionId(name, str(number)) in self.versions:
            number += 1
        return str(number)

    def with_digest(self, name: str, digest: str) -> tuple[VersionId, ...]:
        """Return the versions of this name that have this artifact, in order of admission."""
        return tuple(self._by_digest.get((name, digest), ()))

    def of_name(self, name: str) -> tuple[VersionId, ...]:
        """Return the versions of one name, in order of admission."""
        return tuple(self._by_name.get(name, ()))

    def _change(self, event: Promoted | RolledBack | Retired | Planned) -> tuple[str, ...]:
        match event:
            case Promoted():
                return self._promote(event)
            case RolledBack():
                return self._roll_back(event)
            case Retired():
                return self._retire(event)
            case _:
                return self._plan(event)

    def _measure(self, event: Measured) -> None:
        self.measured[event.data_type] = event
        for each in event.versions:
            if each.labels >= JUDGED_LABELS_MIN:
                self.live[VersionId(each.name, each.version)] = dict(each.metrics)
        profiles = self.profiles.setdefault(event.data_type, {})
        profiles.update(((each.version, each.column), each) for each in event.profiles)

    def _release(self, event: Released) -> None:
        if event.state in {"started", "stepped"}:
            self.releases[event.data_type] = event
        else:
            del self.releases[event.data_type]
            self.ended.append(event)

    def _admit(self, event: Admitted, position: int) -> None:
        version = version_of(event)
        assert version not in self.versions, "a version is admitted once"
        self.versions[version] = Version(version, event, position)
        self._by_name.setdefault(event.name, []).append(version)
        self._by_digest.setdefault((event.name, event.digest), []).append(version)

    def _plan(self, event: Planned) -> tuple[str, ...]:
        self.plan_count += 1
        if event.policy:
            self.plans[event.data_type] = event
        else:
            self.plans.pop(event.data_type, None)
        if event.declared:
            self.declared = event.policy
        if event.data_type:
            return (event.data_type,)
        return tuple(each for each in self._known_types() if each not in self.plans)

    def _known_types(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(each.admitted.data_type for each in self.versions.values()))

    def _promote(self, event: Promoted) -> tuple[str, ...]:
        version = version_of(event)
        known = self.versions[version]
        assert not known.retired, "a retired version is never promoted"
        assert known.admitted.data_type == event.data_type, "a version is of one data type"
        self.versions[version] = replace(
            known, promotions=known.promotions + 1, since_ms=event.at_ms
        )
        for history in self._stacks(event.data_type, version):
            if not history or history[-1] != version:
                history.append(version)
                del history[:-ROLLBACK_DEPTH_MAX]
        return (event.data_type,)

    def _roll_back(self, event: RolledBack) -> tuple[str, ...]:
        version = version_of(event)
        history, of_name = self._stacks(event.data_type, version)
        assert history[-1] == version, "a rollback names the version it leaves"
        assert len(history) > 1, "there was a version before"
        history.pop()
        of_name.pop()  # the same one: each name's stack is the data type's without the others
        return (event.data_type,)

    def _retire(self, event: Retired) -> tuple[str, ...]:
        version = version_of(event)
        known = self.versions[version]
        self.versions[version] = replace(known, retired=True)
        data_type = known.admitted.data_type
        for history in self._stacks(data_type, version):
            history[:] = without_repeats(each for each in history if each != version)
        return (data_type,)

    def _stacks(self, data_type: str, version: VersionId) -> tuple[list[VersionId], ...]:
        """Return the stacks that a version is in, its data type's and its name's."""
        return (
            self._history.setdefault(data_type, []),
            self._of_names.setdefault((data_type, version.name), []),
        )


def without_repeats(history: Iterable[VersionId]) -> list[VersionId]:
    """Drop a version that follows itself, as it may once another was taken out between."""
    kept: list[VersionId] = []
    for version in history:
        if not kept or kept[-1] != version:
            kept.append(version)
    return kept
