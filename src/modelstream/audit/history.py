"""The registry as a function of position: what was admitted, current and retired at any `as_of`.

The fold is that of `core.registry`; here is kept, beside its end, when each of its answers changed.
Events that do not follow from those before them are damages, and are left out.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from modelstream.core.plan import Roster, roster_of
from modelstream.core.policies.text import parse_policy
from modelstream.core.registry import Registry, Version
from modelstream.errors import InvalidFlow, InvalidMessage
from modelstream.events import (
    Admitted,
    Drifted,
    Measured,
    Planned,
    Promoted,
    RegistryEvent,
    Rejected,
    Released,
    Retired,
    RolledBack,
    decode_event,
    version_of,
)
from modelstream.flow import Flow
from modelstream.limits import BATCH_BYTES_MAX, REGISTRY_READ_RECORDS
from modelstream.log.base import Log
from modelstream.messages import VersionId


class Moment(NamedTuple):
    """When something happened: the registry offset, and milliseconds since the epoch."""

    position: int
    at_ms: int


class Damage(NamedTuple):
    """A message of the registry that is no event, or none that could follow."""

    position: int
    detail: str


@dataclass(frozen=True, slots=True)
class _Turns:
    """Who was to answer from which position on, for one data type."""

    positions: list[int]
    rosters: list[Roster | None]


@dataclass(frozen=True, slots=True)
class History:
    """The whole registry. `last` is the offset of its last event, -1 where it has none."""

    last: int
    versions: Mapping[VersionId, Version]
    retired: Mapping[VersionId, Moment]
    promotions: Mapping[VersionId, tuple[Moment, ...]]
    damages: tuple[Damage, ...]
    plans: Mapping[str, Planned]
    releases: tuple[Released, ...]  # those that ended, then those that go on
    measured: Mapping[str, Measured]
    alarms: tuple[Drifted, ...]
    _turns: Mapping[str, _Turns]

    def roster(self, data_type: str, as_of: int) -> Roster | None:
        """Return who was to answer for a data type once `as_of` was applied, and by which policy."""
        turns = self._turns.get(data_type)
        if turns is None:
            return None
        index = bisect_right(turns.positions, as_of)
        return turns.rosters[index - 1] if index else None

    def current(self, data_type: str, as_of: int) -> VersionId | None:
        """Return the version that alone was to answer; None where several were asked, or none."""
        roster = self.roster(data_type, as_of)
        versions = () if roster is None else roster.ids()
        return versions[0] if len(versions) == 1 else None

    def retired_at(self, version: VersionId, as_of: int) -> bool:
        """Tell whether a version had been retired once `as_of` was applied."""
        moment = self.retired.get(version)
        return moment is not None and moment.position <= as_of

    def promotion(self, version: VersionId, as_of: int) -> Moment | None:
        """Return the last promotion of a version up to `as_of`."""
        told = [each for each in self.promotions.get(version, ()) if each.position <= as_of]
        return told[-1] if told else None


def read_history(log: Log, flow: Flow) -> History:
    """Read a flow's registry to its end. Raises UnknownTopic, LogError."""
    fold = _Fold()
    start, _ = log.bounds(flow.registry, 0)
    if start:
        fold.damages.append(Damage(start, f"the registry's first {start} events were deleted"))
    offset = start
    while True:
        batch = log.read(flow.registry, 0, offset, REGISTRY_READ_RECORDS, BATCH_BYTES_MAX)
        if not len(batch):
            return fold.history()
        for position, value in zip(batch.offsets, batch.values, strict=True):
            fold.add(position, value)
        offset = batch.next_offset


class _Fold:
    """The registry's fold, and what it changed at which position."""

    def __init__(self) -> None:
        self.damages: list[Damage] = []
        self._last = -1
        self._registry = Registry()
        self._turns: dict[str, _Turns] = {}
        self._retired: dict[VersionId, Moment] = {}
        self._promotions: dict[VersionId, list[Moment]] = {}

    def add(self, position: int, value: bytes) -> None:
        """Apply one message, or note what is wrong with it."""
        self._last = position
        try:
            event = decode_event(value)
        except InvalidMessage as error:
            self.damages.append(Damage(position, str(error)))
            return
        objection = _objection(self._registry, event)
        if objection:
            self.damages.append(Damage(position, f"{_word(event)}: {objection}"))
            return
        for data_type in self._registry.apply(event, position):
            turns = self._turns.setdefault(data_type, _Turns([], []))
            roster = roster_of(self._registry, data_type)
            if not turns.rosters or turns.rosters[-1] != roster:
                turns.positions.append(position)
                turns.rosters.append(roster)
        moment = Moment(position, event.at_ms)
        if isinstance(event, Promoted):
            self._promotions.setdefault(version_of(event), []).append(moment)
        elif isinstance(event, Retired):
            self._retired.setdefault(version_of(event), moment)

    def history(self) -> History:
        return History(
            last=self._last,
            versions=self._registry.versions,
            retired=self._retired,
            promotions={version: tuple(each) for version, each in self._promotions.items()},
            damages=tuple(self.damages),
            plans=self._registry.plans,
            releases=(*self._registry.ended, *self._registry.releases.values()),
            measured=self._registry.measured,
            alarms=tuple(self._registry.alarms.values()),
            _turns=self._turns,
        )


def _objection(registry: Registry, event: RegistryEvent) -> str:
    """Tell why an event cannot follow; the fold itself takes an honest admitter for granted."""
    match event:
        case Rejected() | Drifted():
            return ""
        case Planned():
            return _plan_objection(registry, event)
        case Measured():
            return _unknown(
                registry, (VersionId(each.name, each.version) for each in event.versions)
            )
        case Released():
            return _release_objection(registry, event)
        case _:
            return _life_objection(registry, event)


def _life_objection(registry: Registry, event: Admitted | Promoted | RolledBack | Retired) -> str:
    version = version_of(event)
    known = registry.versions.get(version)
    if isinstance(event, Admitted):
        return f"{version} was admitted before" if known else ""
    if known is None:
        return f"{version} was never admitted"
    if isinstance(event, Promoted):
        return _promotion_objection(known, event.data_type)
    return _rollback_objection(registry, event) if isinstance(event, RolledBack) else ""


def _unknown(registry: Registry, versions: Iterable[VersionId]) -> str:
    wrong = [version for version in versions if version not in registry.versions]
    return f"{wrong[0]} was never admitted" if wrong else ""


def _release_objection(registry: Registry, event: Released) -> str:
    """Tell why a release cannot have gone on so."""
    going_on = registry.releases.get(event.data_type)
    candidate = version_of(event)
    if event.state == "started":
        other = f"{version_of(going_on)} is being released" if going_on else ""
        return other or _unknown(registry, (candidate, event.champion))
    if going_on is None or version_of(going_on) != candidate:
        return f"{candidate} is not being released"
    forward = event.state != "stepped" or event.step == going_on.step + 1 < len(event.steps)
    return "" if forward else f"step {event.step} does not follow step {going_on.step}"


def _plan_objection(registry: Registry, event: Planned) -> str:
    try:
        if event.policy or not event.data_type:
            parse_policy(event.policy)
    except InvalidFlow as error:
        return str(error)
    wanted = str(registry.plan_count + 1)
    return "" if event.version == wanted else f"it is numbered {event.version}, not {wanted}"


def _promotion_objection(known: Version, data_type: str) -> str:
    if known.retired:
        return f"{known.id} is retired"
    if data_type != known.admitted.data_type:
        return f"{known.id} is of data type {known.admitted.data_type!r}, not {data_type!r}"
    return ""


def _rollback_objection(registry: Registry, event: RolledBack) -> str:
    version = version_of(event)
    if registry.current(event.data_type) != version:
        return f"{version} is not current for {event.data_type!r}"
    if registry.previous(event.data_type) is None:
        return f"no version was current for {event.data_type!r} before {version}"
    return ""


def _word(event: RegistryEvent) -> str:
    return str(type(event).__struct_config__.tag)
