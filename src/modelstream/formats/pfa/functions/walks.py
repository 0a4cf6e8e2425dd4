"""Walk one tree with the rows of a batch, whatever its nodes ask: each node is asked once a batch."""

from collections.abc import Callable
from typing import Any

import numpy as np

from modelstream.formats.pfa.columns import Batch, column_of, is_column
from modelstream.formats.pfa.library import Call
from modelstream.formats.pfa.values import Struct


def walk_columns(batch: Batch, datum: Any, node: Any, test: Callable[..., Any], call: Call) -> Any:
    """Return the leaf of each row."""
    name, kind = str(call.params[1]), call.result
    answers: list[Any] = [None] * batch.rows
    live = batch.live
    pending = [(node, np.ones(batch.rows, np.bool_) if live is None else live)]
    try:
        while pending:
            at, rows = pending.pop()
            if type(at) is not Struct or at.name != name:
                for row in np.nonzero(rows)[0].tolist():
                    answers[row] = at
                continue
            batch.live = rows
            pending += _branches(batch, at, test(datum, at), rows)
    finally:
        batch.live = live
    return column_of(answers, kind)


def _branches(batch: Batch, node: Any, found: Any, rows: Any) -> list[tuple[Any, Any]]:
    """Return the nodes that rows go on to."""
    if not is_column(found):
        ends = node["missing"] if found is None else node["pass"] if found else node["fail"]
        return [(ends, rows)]
    if found.dtype == np.bool_:
        outcomes = [("pass", found), ("fail", ~found)]
    else:
        listed = found.tolist()
        outcomes = [
            (key, np.array([each is value for each in listed], np.bool_))
            for key, value in (("pass", True), ("fail", False), ("missing", None))
            if key in node
        ]
    sure = rows & ~batch.doubtful
    return [(node[key], taken & sure) for key, taken in outcomes if (taken & sure).any()]
