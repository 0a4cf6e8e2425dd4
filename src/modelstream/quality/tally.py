"""What is counted of one version in a window."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from modelstream.events import Figures
from modelstream.messages import Column, VersionId
from modelstream.quality.metrics import Label, Quality, class_name
from modelstream.quality.told import Told

# Durations from a microsecond to 100 seconds, in steps of 2.3 %.
_PER_DECADE = 100
_BINS = 8 * _PER_DECADE


@dataclass(slots=True)
class Tally:
    """Counts of one version; `compared` answers stood beside one that was given, `agreed` were it."""

    records: int = 0
    failures: int = 0
    late: int = 0
    compared: int = 0
    agreed: int = 0
    took: Column = field(default_factory=lambda: np.zeros(_BINS, np.int64))
    quality: Quality = field(default_factory=Quality)

    def add(self, told: Told) -> None:
        """Count what the version said of one record."""
        self.records += 1
        if told.failed:
            self.failures += 1
        elif told.outputs is None:
            self.late += 1
        else:
            place = int(_PER_DECADE * np.log10(max(told.took_us, 1.0)))
            self.took[min(place, _BINS - 1)] += 1

    def compare(self, outputs: dict[str, Any], given: dict[str, Any]) -> None:
        """Count whether the version said what was answered."""
        self.compared += 1
        own, other = next(iter(outputs.values()), None), next(iter(given.values()), None)
        self.agreed += class_name(own) == class_name(other)

    def label(self, truth: Label, outputs: dict[str, Any]) -> None:
        """Count one label."""
        self.quality.add(truth, outputs)

    def figures(self, version: VersionId) -> Figures:
        """Return what was counted."""
        metrics = self.quality.metrics()
        if self.compared:
            metrics["agreement"] = self.agreed / self.compared
        return Figures(
            name=version.name,
            version=version.version,
            records=self.records,
            failures=self.failures,
            late=self.late,
            labels=self.quality.labels,
            p50_ms=self._quantile(0.5),
            p99_ms=self._quantile(0.99),
            metrics=metrics,
        )

    def _quantile(self, share: float) -> float | None:
        """Return the upper bound of the bin in which a quantile falls, in milliseconds."""
        total = int(self.took.sum())
        if not total:
            return None
        place = int(np.searchsorted(np.cumsum(self.took), share * total))
        return float(round(10 ** ((place + 1) / _PER_DECADE) / 1000, 6))
