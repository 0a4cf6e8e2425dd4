"""What figures of a monitor do to the registry: they are told there, and may raise an alarm or end a release.

Pure, as `models.lifecycle` is.
"""

import msgspec

from modelstream.core.registry import Registry
from modelstream.events import (
    ColumnProfile,
    Drift,
    Drifted,
    Figures,
    Measured,
    Reach,
    RegistryEvent,
)
from modelstream.flow import Flow
from modelstream.messages import VersionId
from modelstream.models.lifecycle import Message, data_type_of
from modelstream.models.refusal import Refused, listed
from modelstream.models.releases import judged, read_order

# An alarm ends when a column is well inside its limit again.
_ALARM_ENDS = 0.5


class Report(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a monitor measured, as a descriptor's `order`; the fields are those of `events.Measured`."""

    window: int
    began_ms: int
    since: Reach
    until: Reach
    versions: tuple[Figures, ...]
    drifts: tuple[Drift, ...] = ()
    profiles: tuple[ColumnProfile, ...] = ()


def measure(message: Message, flow: Flow, registry: Registry) -> list[RegistryEvent]:
    """Take in what a monitor measured, and draw the conclusions. Raises Refused.

    Of two monitors one is late: what does not go on where the last figures ended is left out.
    """
    report = read_order(message, Report)
    data_type = data_type_of(message, flow)
    unknown = [
        f"{each.name}@{each.version}"
        for each in report.versions
        if each.name != "plan" and VersionId(each.name, each.version) not in registry.versions
    ]
    if unknown:
        raise Refused("unknown_version", f"there is no {listed(unknown)} to be measured")
    before = registry.measured.get(data_type)
    if report.window != registry.windows.get(data_type, -1) or not _goes_on(before, report):
        return []
    measured = Measured(
        data_type=data_type,
        window=report.window,
        began_ms=report.began_ms,
        since=report.since,
        until=report.until,
        versions=report.versions,
        drifts=report.drifts,
        profiles=report.profiles,
        source=message.source,
        at_ms=message.at_ms,
    )
    events: list[RegistryEvent] = [measured, *_alarms(measured, flow, registry)]
    going_on = registry.releases.get(data_type)
    return [*events, *(judged(message, going_on, measured, registry) if going_on else ())]


def _goes_on(before: Measured | None, report: Report) -> bool:
    """Tell whether a report has read further than the last one."""
    if before is None:
        return True
    ends = zip(_offsets(before.until), _offsets(report.until), strict=False)
    return before.until != report.until and all(one <= other for one, other in ends)


def _offsets(reach: Reach) -> list[int]:
    return [*reach.results, *reach.rejects, *reach.labels]


def _alarms(measured: Measured, flow: Flow, registry: Registry) -> list[Drifted]:
    """Raise an alarm for each column that went beyond a limit, and end those that came back."""
    events: list[Drifted] = []
    for drift in measured.drifts:
        known = (measured.data_type, drift.version, drift.column) in registry.alarms
        worst = max(drift.psi / flow.monitor.psi, drift.ks / flow.monitor.ks)
        if worst > 1 and not known:
            events.append(_drifted(measured, drift, alarm=True))
        elif known and worst < _ALARM_ENDS:
            events.append(_drifted(measured, drift, alarm=False))
    return events


def _drifted(measured: Measured, drift: Drift, *, alarm: bool) -> Drifted:
    return Drifted(
        data_type=measured.data_type,
        drift=drift,
        alarm=alarm,
        source=measured.source,
        at_ms=measured.at_ms,
    )
