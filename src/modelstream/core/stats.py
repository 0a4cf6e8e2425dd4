"""Figures of each version: how much it was used, how often it failed, how long it took.

Durations are in microseconds. A record's duration is that of the score call it was part of: what
the record waited for.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

# 16 steps an octave: a percentile is told to within 1/16 of itself.
_STEPS = 16
_OCTAVES = 40


class Summary(NamedTuple):
    """One version's figures at one moment; durations in microseconds."""

    uses: int
    errors: int
    calls: int
    mean_us: float
    p50_us: float
    p95_us: float
    p99_us: float
    max_us: float


@dataclass(slots=True)
class Histogram:
    """Counts of durations in buckets that grow with the value (16 to a doubling)."""

    counts: dict[int, int] = field(default_factory=dict)  # by bucket; few of them are ever in use
    count: int = 0
    total_us: float = 0.0
    max_us: float = 0.0

    def add(self, value_us: float, times: int = 1) -> None:
        """Count a duration `times` times."""
        bucket = _bucket(value_us)
        self.counts[bucket] = self.counts.get(bucket, 0) + times
        self.count += times
        self.total_us += value_us * times
        self.max_us = max(self.max_us, value_us)

    def percentile(self, percent: float) -> float:
        """Return a value that `percent` of the durations do not exceed, 0.0 without any.

        It is the upper edge of a bucket, never more than the largest duration seen.
        """
        wanted = self.count * percent / 100
        seen = 0
        for bucket in sorted(self.counts):
            seen += self.counts[bucket]
            if seen >= wanted and self.counts[bucket]:
                return min(_upper_edge(bucket), self.max_us)
        return 0.0


@dataclass(slots=True)
class VersionStats:
    """The running figures of one version."""

    uses: int = 0
    errors: int = 0
    calls: int = 0
    won: int = 0  # records whose answer was this version's
    late: int = 0  # records that were decided before its outcome came
    missed: int = 0  # batches that were decided without it because time was over
    durations: Histogram = field(default_factory=Histogram)

    def add(self, answered: int, failed: int, took_us: float) -> None:
        """Count one score call that answered and failed so many records."""
        self.uses += answered
        self.errors += failed
        self.calls += 1
        self.durations.add(took_us, answered + failed)

    def summary(self) -> Summary:
        """Return the figures of this moment."""
        held = self.durations
        return Summary(
            uses=self.uses,
            errors=self.errors,
            calls=self.calls,
            mean_us=held.total_us / held.count if held.count else 0.0,
            p50_us=held.percentile(50),
            p95_us=held.percentile(95),
            p99_us=held.percentile(99),
            max_us=held.max_us,
        )


def _bucket(value_us: float) -> int:
    """Return the bucket of a duration: its octave, and its sixteenth of that octave."""
    whole = max(int(value_us * _STEPS), _STEPS)
    octave = whole.bit_length() - 1 - 4
    step = (whole >> octave) - _STEPS
    return min(octave * _STEPS + step, _OCTAVES * _STEPS - 1)


def _upper_edge(bucket: int) -> float:
    """Return the largest duration of a bucket."""
    octave, step = divmod(bucket, _STEPS)
    return ((_STEPS + step + 1) << octave) / _STEPS
