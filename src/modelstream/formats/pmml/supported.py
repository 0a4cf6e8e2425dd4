"""What of PMML is evaluated, told from the registries that the evaluator itself works by."""

import typing

import msgspec

from modelstream.formats.pmml.answers.outputs import FEATURES
from modelstream.formats.pmml.answers.rankings import ALGORITHMS
from modelstream.formats.pmml.elements.base import DataType, Element
from modelstream.formats.pmml.elements.models import Normalization, TreeModel
from modelstream.formats.pmml.elements.predicates import CompoundPredicate, Operator
from modelstream.formats.pmml.elements.rulesets import RuleSelectionMethod
from modelstream.formats.pmml.elements.timeseries import TimeSeriesModel, TrendSmooth
from modelstream.formats.pmml.elements.vocabulary import EXPRESSIONS, MODELS, tag_of
from modelstream.formats.pmml.ensembles.ensembles import CLASSIFICATIONS, REGRESSIONS
from modelstream.formats.pmml.ensembles.mining import CHAINS
from modelstream.formats.pmml.expressions.calls import builtin_functions
from modelstream.formats.pmml.models.baseline import STATISTICS
from modelstream.formats.pmml.reader import VERSIONS


def supported() -> list[tuple[str, tuple[str, ...]]]:
    """Return what is evaluated: pairs of a part of the standard and its words."""
    models = sorted(map(tag_of, MODELS))
    methods = CHAINS | {"selectFirst"} | REGRESSIONS | CLASSIFICATIONS
    features = {*FEATURES, "transformedValue", "decision"}
    return [
        ("versions", VERSIONS),
        ("models", tuple(models)),
        ("`multipleModelMethod`", tuple(sorted(methods))),
        ("`missingValueStrategy` of trees", _choices(TreeModel, "missing_value_strategy")),
        ("`normalizationMethod` of regressions", typing.get_args(Normalization)),
        ("`criterion` of rule sets", _choices(RuleSelectionMethod, "criterion")),
        ("`algorithm` of association rules", ALGORITHMS),
        ("`testStatistic` of baselines", STATISTICS),
        ("`bestFit` of time series", _choices(TimeSeriesModel, "best_fit")),
        ("`trend` of time series", _choices(TrendSmooth, "trend")),
        ("output features of all models", tuple(sorted(features))),
        ("expressions", tuple(sorted(map(tag_of, EXPRESSIONS)))),
        ("functions", tuple(sorted(builtin_functions()))),
        ("operators of predicates", typing.get_args(Operator)),
        ("predicates combined", _choices(CompoundPredicate, "boolean_operator")),
        ("data types", typing.get_args(DataType)),
    ]


def table() -> str:
    """Return what is evaluated as a Markdown table."""
    lines = ["| part | evaluated |", "|---|---|"]
    lines += [f"| {part} | {', '.join(_code(words))} |" for part, words in supported()]
    return "\n".join(lines) + "\n"


def _choices(element: type[Element], name: str) -> tuple[str, ...]:
    """Return the words that an attribute may be."""
    declared = {field.name: field.type for field in msgspec.structs.fields(element)}
    return typing.get_args(declared[name])


def _code(words: tuple[str, ...]) -> list[str]:
    return [f"`{word}`" for word in words]
