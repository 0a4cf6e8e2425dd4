"""Sums that do not depend on how many rows are summed at once."""

import numpy as np

from modelstream.messages import Column


def sum_in_order(terms: Column, initial: float = 0.0) -> Column:
    """Return the sums along the first axis, in the precision of `terms`.

    Each begins with `initial` and takes one term after the other, as a loop would. NumPy does so
    along the first of several axes, but adds in pairs where the others have one entry alone.
    """
    start = terms.dtype.type(initial)
    if terms.size != len(terms) or not len(terms):
        sums: Column = np.add.reduce(terms, axis=0, initial=start)
        return sums
    steps = np.concatenate(([start], terms.ravel()))
    last: Column = np.add.accumulate(steps)[-1:].reshape(terms.shape[1:])
    return last
