"""Parts of a time stamp, which counts seconds since 1970 (PFA 0.8.1, time.*)."""

import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from modelstream.formats.pfa.faults import Fault
from modelstream.formats.pfa.library import LibraryFunction, plain

Part = Callable[[datetime], int]
_FIRST, _LAST = -62_135_596_800, 253_402_300_799
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _zone(name: str, code: int) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Fault("unrecognized timezone string", code) from None


def _moment(ts: float, zone: str, code: int) -> datetime:
    if math.isnan(ts) or not _FIRST <= ts <= _LAST:
        raise Fault("timestamp out of range", code + 1)
    moment = _EPOCH + timedelta(seconds=ts)
    try:
        return moment.astimezone(_zone(zone, code)) if zone else moment
    except OverflowError:
        raise Fault("timestamp out of range", code + 1) from None


def _part(name: str, code: int, part: Part) -> LibraryFunction:
    return plain(
        f"time.{name}",
        "(ts: double, zone: string) -> int",
        rule=lambda ts, zone: part(_moment(ts, zone, code)),
    )


def _within(name: str, code: int, part: Part) -> LibraryFunction:
    def rule(ts: float, zone: str, low: float, high: float) -> bool:
        if low >= high:
            raise Fault("bad time range", code)
        return low <= part(_moment(ts, zone, code + 1)) < high

    return plain(
        f"time.{name}",
        "(ts: double, zone: string, low: double, high: double) -> boolean",
        rule=rule,
    )


def _day_of_year(moment: datetime) -> int:
    return moment.timetuple().tm_yday


def _is_weekend(ts: float, zone: str) -> bool:
    return _moment(ts, zone, 40160).weekday() >= 5


def _is_work_hours(ts: float, zone: str) -> bool:
    moment = _moment(ts, zone, 40170)
    return moment.weekday() < 5 and 9 <= moment.hour < 17


FUNCTIONS: tuple[LibraryFunction, ...] = (
    _part("year", 40000, lambda moment: moment.year),
    _part("monthOfYear", 40010, lambda moment: moment.month),
    _part("dayOfYear", 40020, _day_of_year),
    _part("dayOfMonth", 40030, lambda moment: moment.day),
    _part("dayOfWeek", 40040, lambda moment: moment.weekday()),
    _part("hourOfDay", 40050, lambda moment: moment.hour),
    _part("minuteOfHour", 40060, lambda moment: moment.minute),
    _part("secondOfMinute", 40070, lambda moment: moment.second),
    _within("isSecondOfMinute", 40090, lambda moment: moment.second),
    _within("isMinuteOfHour", 40100, lambda moment: moment.minute),
    _within("isHourOfDay", 40110, lambda moment: moment.hour),
    _within("isDayOfWeek", 40120, lambda moment: moment.weekday()),
    _within("isDayOfMonth", 40130, lambda moment: moment.day),
    _within("isMonthOfYear", 40140, lambda moment: moment.month),
    _within("isDayOfYear", 40150, _day_of_year),
    plain("time.isWeekend", "(ts: double, zone: string) -> boolean", rule=_is_weekend),
    plain("time.isWorkHours", "(ts: double, zone: string) -> boolean", rule=_is_work_hours),
)
