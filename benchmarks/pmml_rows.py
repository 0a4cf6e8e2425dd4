"""`pmml_rows`: one PMML record at a time, and where the columns overtake scoring row by row.

The six models of the `pmml` benchmark, dicts in and dicts out, in one thread. Records are scored by
both paths however many they are; which of them a model takes is decided by PMML_RECORDS_MAX.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from benchmarks.measure import Figure, Report, Side, interleave, ratio, spread, timed
from benchmarks.pmml_models import models
from benchmarks.pmml_table import some_audits
from modelstream import score_rows
from modelstream.formats.base import Hints
from modelstream.formats.pmml import PmmlFormat
from modelstream.formats.pmml.model import PmmlModel

SIZES = (1, 2, 4, 8, 16, 32, 64)
Rows = Sequence[dict[str, Any]]


def run(*, quick: bool = False) -> Report:
    """Measure both paths in turns, batch size by batch size."""
    rounds, records = (2, 64) if quick else (15, 1024)
    rows = some_audits(max(SIZES), seed=5).rows()
    figures: list[Figure] = []
    for name, made in models(quick=quick).items():
        model = _load(made.document)
        if model.rowwise is None:
            figures.append(Figure(f"{name}: by columns alone", 1, "model"))
            continue
        by_rows = replace(model, rowwise=replace(model.rowwise, records_max=max(SIZES)))
        by_columns = replace(model, rowwise=None)
        for size in SIZES:
            batch = rows[:size]
            sides = {
                "rows": _side(by_rows, batch, records),
                "columns": _side(by_columns, batch, records),
            }
            told = interleave(sides, rounds)
            what = f"{name}, {size} at once"
            figures.append(spread(f"{what}: row by row", told["rows"], "us CPU/record"))
            figures.append(
                replace(ratio("rows", "columns", told, None), what=f"{what}: rows / columns")
            )
    return Report(
        "pmml_rows",
        "small batches of PMML, row by row and by columns",
        figures,
        ("a ratio above 1 is a batch that the columns are faster for",),
    )


def _load(document: bytes) -> PmmlModel:
    made = PmmlFormat()
    return made.load(made.lower(document, Hints()))


def _side(model: PmmlModel, rows: Rows, records: int) -> Side:
    """Return a side that answers some rows at once, again and again."""

    def work() -> int:
        calls = max(1, records // len(rows))
        for _ in range(calls):
            score_rows(model, rows)
        return calls * len(rows)

    return timed(work)
