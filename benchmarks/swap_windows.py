"""The turns of the `swap` benchmark, sorted into steady state, admission and swap."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from benchmarks.measure import Figure

# Turns after a flip that still count as part of the swap: the new model's first records.
SETTLING_TURNS = 3
Turns = npt.NDArray[np.int64]
STEADY, ADMITTING, SWAPPING = 0, 1, 2


class Windows:
    """Each full turn, its duration, and what else went on meanwhile."""

    def __init__(self, turns: Turns, published: Sequence[int]) -> None:
        ends, done, version, loading = turns.T
        duration = np.diff(ends, prepend=ends[:1]) / 1e6
        phase = _phases(ends, version, loading, published)
        # The turn that follows a pause, and one that was not full, tell nothing of the load.
        full = (done == done.max()) & (np.roll(done, 1) == done.max())
        full[:1] = False
        self._took_ms, self._phase = duration[full], phase[full]
        self._version = version[full]
        self._loads_ms = _loads_ms(ends, loading)

    def figures(self, goal: float) -> tuple[Figure, ...]:
        """Return percentiles of both states, and the ratio that swaps are judged by."""
        steady, swapping = self._relative(STEADY), self._relative(SWAPPING)
        admitting = self._relative(ADMITTING)
        base = _p(steady, 99)
        return (
            Figure("full turns, steady", len(steady), ""),
            Figure("full turns, during swaps", len(swapping), ""),
            Figure("turn, steady: p50", _p(self._of(STEADY), 50), "ms"),
            Figure("turn, steady: p99", _p(self._of(STEADY), 99), "ms"),
            Figure("turn, during admission: p99", _p(self._of(ADMITTING), 99), "ms"),
            Figure("turn, during swaps: p50", _p(self._of(SWAPPING), 50), "ms"),
            Figure("turn, during swaps: p99", _p(self._of(SWAPPING), 99), "ms"),
            Figure("turn, during swaps: longest", _p(self._of(SWAPPING), 100), "ms"),
            Figure("load of a version: p50", _p(self._loads_ms, 50), "ms"),
            Figure("load of a version: longest", _p(self._loads_ms, 100), "ms"),
            Figure("p99 during admission / steady", _p(admitting, 99) / base, "x"),
            Figure("p99 during swaps / steady", _p(swapping, 99) / base, "x", goal=goal),
        )

    def _of(self, phase: int) -> npt.NDArray[np.float64]:
        took: npt.NDArray[np.float64] = self._took_ms[self._phase == phase]
        return took

    def _relative(self, phase: int) -> npt.NDArray[np.float64]:
        """Return durations in medians of the same version's steady turns.

        A large model takes longer than a small one whether or not it was just swapped in.
        """
        steady = self._phase == STEADY
        found = [np.empty(0)]
        for version in np.unique(self._version):
            mine = self._version == version
            if np.any(mine & steady):
                median = np.median(self._took_ms[mine & steady])
                found.append(self._took_ms[mine & (self._phase == phase)] / median)
        return np.concatenate(found)


def _phases(ends: Turns, version: Turns, loading: Turns, published: Sequence[int]) -> Turns:
    """Tell of each turn whether a version was being admitted, or loaded and swapped in."""
    phase = np.full(len(ends), STEADY)
    flips = np.flatnonzero(np.diff(version)) + 1
    asked = np.searchsorted(ends, np.asarray(published))
    for flip, start in zip(flips[-len(asked) :], asked[-len(flips) :], strict=True):
        phase[start : flip + 1] = ADMITTING
        phase[flip : flip + 1 + SETTLING_TURNS] = SWAPPING
    before = np.roll(loading, 1)
    phase[(loading == 1) | (before == 1)] = SWAPPING
    return phase


def _loads_ms(ends: Turns, loading: Turns) -> npt.NDArray[np.float64]:
    """Return how long each load took, from the turn that asked for it to the flip."""
    starts = np.flatnonzero(np.diff(loading, prepend=0) == 1)
    stops = np.flatnonzero(np.diff(loading, prepend=0) == -1)
    count = min(len(starts), len(stops))
    took: npt.NDArray[np.float64] = (ends[stops[:count]] - ends[starts[:count]]) / 1e6
    return took


def _p(values: npt.NDArray[np.float64], percent: float) -> float:
    return float(np.percentile(values, percent)) if len(values) else float("nan")
