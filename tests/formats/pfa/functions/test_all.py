"""Every function of the library: by rows and by columns it tells the same, to the last bit."""

from typing import Any

import pytest

from modelstream.errors import UnsupportedModel
from modelstream.formats.pfa.data import Data
from modelstream.formats.pfa.document import compile_document
from modelstream.formats.pfa.functions import library
from tests.support.pfa import by_columns, by_rows, same
from tests.support.pfa_calls import calls

# What exporters from R, from Spark and of titus emit.
EXPORTED = {
    "a": "append argmax concat contains count filter filterWithIndex flatten groupby index len map "
    "max mean min mode remove replace slidingWindow subseq sum zipmap",
    "cast": "double fanoutDouble int json",
    "impute": "isnan",
    "la": "add dot map scale sub transpose truncate",
    "m": "abs acos asin atan ceil copysign cos cosh e exp floor hypot ln pi rint round sin sinh "
    "sqrt tan tanh",
    "m.link": "cauchit cloglog logit probit softmax",
    "map": "add argmax containsKey filter fromset keys map mapWithKey values zipmap",
    "metric": "absDiff chebyshev euclidean gaussianSimilarity jaccard minkowski squaredEuclidean taxicab",
    "model.cluster": "closest closestN",
    "model.neural": "simpleLayers",
    "model.reg": "linear",
    "model.tree": "missingTest missingWalk simpleTest simpleTree simpleWalk",
    "parse": "int",
    "prob.dist": "gaussianLL",
    "re": "split",
    "s": "concat join lower number strip",
    "stat.sample": "forecastHoltWinters updateHoltWinters updateHoltWintersPeriodic",
}


def jobs(name: str) -> list[dict[str, Any]]:
    made = [
        calls(name, signature, seed, 6)
        for signature in library().signatures(name)
        for seed in range(3)
    ]
    return [job for job in made if job is not None]


def test_the_functions_that_exporters_emit_are_all_there() -> None:
    wanted = {f"{group}.{name}" for group, names in EXPORTED.items() for name in names.split()}
    wanted |= {"+", "-", "*", "/", "**", "%", "==", "!=", "<", "<=", ">", ">=", "&&", "||", "!"}
    assert wanted <= set(library().names())


@pytest.mark.parametrize("name", library().names())
def test_a_function_answers_alike_by_rows_and_by_columns(name: str) -> None:
    for job in jobs(name):
        try:
            engine = compile_document(job["document"])
        except UnsupportedModel:
            continue
        values = [Data().read(engine.input, record, "record") for record in job["records"]]
        rows, columns = by_rows(engine, values), by_columns(engine, values)
        assert columns is None or all(map(same, rows, columns)), job
