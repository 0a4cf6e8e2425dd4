"""PFA's library: a table of functions for each part of it, joined here."""

from modelstream.formats.pfa.functions import (
    array_functions,
    array_numbers,
    arrays,
    byteses,
    casts,
    clusters,
    comparisons,
    dists,
    imputes,
    interpolation,
    learners,
    links,
    maps,
    maths,
    matrices,
    metrics,
    operators,
    regexes,
    regressions,
    samples,
    stattests,
    strings,
    times,
    trees,
)
from modelstream.formats.pfa.library import Library


def library() -> Library:
    """Return all functions that are evaluated."""
    return Library(
        (
            operators.FUNCTIONS,
            comparisons.FUNCTIONS,
            maths.FUNCTIONS,
            links.FUNCTIONS,
            arrays.FUNCTIONS,
            array_numbers.FUNCTIONS,
            array_functions.FUNCTIONS,
            metrics.FUNCTIONS,
            regressions.FUNCTIONS,
            trees.FUNCTIONS,
            clusters.FUNCTIONS,
            learners.FUNCTIONS,
            stattests.FUNCTIONS,
            imputes.FUNCTIONS,
            regexes.FUNCTIONS,
            dists.FUNCTIONS,
            times.FUNCTIONS,
            strings.FUNCTIONS,
            samples.FUNCTIONS,
            matrices.FUNCTIONS,
            maps.FUNCTIONS,
            interpolation.FUNCTIONS,
            casts.FUNCTIONS,
            byteses.FUNCTIONS,
        )
    )
