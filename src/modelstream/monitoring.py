"""How a flow's versions are watched: the `[monitor]` table of a flow.toml."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from modelstream.errors import InvalidFlow
from modelstream.flow_keys import nearest
from modelstream.limits import DRIFT_RECORDS_MIN, PROFILE_RECORDS_MAX


@dataclass(frozen=True, slots=True, kw_only=True)
class Monitoring:
    """Figures are told every `every_s` seconds, of windows of `window_s`, or of a release's step.

    Labels count within `labels_within_s` of their records. With `drift` inputs and scores are compared
    with a profile, the first `profile_records` records; beyond `psi` or `ks` there is an alarm.
    Raises InvalidFlow.
    """

    every_s: float = 60
    window_s: float = 3600
    labels_within_s: float = 86_400
    drift: bool = False
    profile_records: int = 10_000
    psi: float = 0.2
    ks: float = 0.2

    def __post_init__(self) -> None:
        """Check every value."""
        for each in fields(self):
            value: Any = getattr(self, each.name)
            if each.name == "drift":
                if not isinstance(value, bool):
                    raise InvalidFlow(f"monitor.drift is {value!r}; it is true or false")
            elif isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
                raise InvalidFlow(f"monitor.{each.name} is {value!r}; it is a number above 0")
        if not DRIFT_RECORDS_MIN <= self.profile_records <= PROFILE_RECORDS_MAX:
            raise InvalidFlow(
                f"monitor.profile_records is {self.profile_records}; use {DRIFT_RECORDS_MIN} to "
                f"{PROFILE_RECORDS_MAX}"
            )


def monitoring_of(table: Mapping[str, Any]) -> Monitoring:
    """Read the table. Raises InvalidFlow."""
    known = [each.name for each in fields(Monitoring)]
    for key in table:
        if key not in known:
            raise InvalidFlow(f"unknown key monitor.{key}{nearest(key, known)}")
    return Monitoring(**table)
