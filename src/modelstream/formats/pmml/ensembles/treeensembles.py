"""Compile a MiningModel of nothing but trees: it is lowered to one forest, and runs as one.

DMG 4.4, Multiple Models.
"""

from collections.abc import Callable, Sequence

import msgspec
import numpy as np

from modelstream.errors import InvalidModel
from modelstream.formats import limits
from modelstream.formats.pmml.answers.prediction import (
    Body,
    Prediction,
    join_predictions,
    most_probable,
)
from modelstream.formats.pmml.answers.targets import base_score
from modelstream.formats.pmml.elements.models import (
    MiningModel,
    ModelElement,
    Segment,
    TreeModel,
)
from modelstream.formats.pmml.elements.predicates import Always
from modelstream.formats.pmml.ensembles.ensembles import VOTES, Answers, combine
from modelstream.formats.pmml.ensembles.ensembles_row import CombineOne, combine_one
from modelstream.formats.pmml.ensembles.segments import Composition
from modelstream.formats.pmml.expressions.predicates import compile_predicate
from modelstream.formats.pmml.fields.batch import Batch
from modelstream.formats.pmml.fields.rows import RowPrediction, Twin, applied
from modelstream.formats.pmml.fields.scope import Scope
from modelstream.formats.pmml.trees.forest import Kernel
from modelstream.formats.pmml.trees.trees import lower_trees
from modelstream.formats.pmml.trees.walks import is_walked
from modelstream.messages import Column


def with_segments(
    model: MiningModel, segments: Sequence[tuple[Segment, ModelElement | None]]
) -> MiningModel:
    """Return the model with other models in its segments."""
    replaced = tuple(msgspec.structs.replace(s, model=inner) for s, inner in segments)
    segmentation = msgspec.structs.replace(model.segmentation, segments=replaced)
    return msgspec.structs.replace(model, segmentation=segmentation)


def is_forest(model: MiningModel) -> bool:
    """Tell whether all segments are trees on the fields around them, with plain answers."""
    if model.segmentation.forest is not None:
        return True
    names = () if model.output is None else model.output.fields
    if any(output.segment_id is not None for output in names):
        return False
    return all(_is_plain_tree(s.model, model) for s in model.segmentation.segments)


def _is_plain_tree(inner: ModelElement | None, model: MiningModel) -> bool:
    if not isinstance(inner, TreeModel) or inner.function_name != model.function_name:
        return False
    if is_walked(inner):
        return False
    if inner.local_transformations or inner.targets or inner.output or inner.node is None:
        return False
    return inner.is_scorable and all(
        field.missing_value_replacement is None
        and field.missing_value_treatment != "returnInvalid"
        and field.outliers == "asIs"
        and field.invalid_value_treatment in {"returnInvalid", "asIs"}
        for field in inner.mining_schema.fields
    )


def compile_forest(model: MiningModel, scope: Scope, labels: tuple[str, ...]) -> Composition:
    """Return an ensemble of trees, lowered to one forest."""
    segmentation = model.segmentation
    forest = segmentation.forest
    if forest is None:
        trees = [s.model for s in segmentation.segments if isinstance(s.model, TreeModel)]
        forest = lower_trees(trees, scope, labels)
        bare = with_segments(model, [(segment, None) for segment in segmentation.segments])
        segmentation = msgspec.structs.replace(bare.segmentation, forest=forest)
        model = msgspec.structs.replace(model, segmentation=segmentation)
    kernel = Kernel(forest, scope)
    if kernel.trees != len(segmentation.segments):
        raise InvalidModel("a lowered forest has not as many trees as segments")
    answer, row = _forest_answer(model, kernel, scope)
    return Composition(model, Body(kernel.labels, scope.context.cells.make(answer, row)))


def _forest_answer(
    model: MiningModel, kernel: Kernel, scope: Scope
) -> tuple[Callable[[Batch], Prediction], Twin | None]:
    segmentation, single = model.segmentation, model.math_context == "float"
    initial = base_score(model)
    weights = np.array([segment.weight for segment in segmentation.segments])
    predicates = [segment.predicate for segment in segmentation.segments]
    tests = [compile_predicate(predicate, scope) for predicate in predicates]
    everywhere = all(isinstance(predicate, Always) for predicate in predicates)
    tabled = bool(kernel.labels) and segmentation.multiple_model_method not in VOTES
    cells_a_row = kernel.trees * (len(kernel.labels) if tabled else 1)
    rows_at_once = max(1, limits.PMML_ENSEMBLE_CELLS_MAX // cells_a_row)

    def answer(batch: Batch) -> Prediction:
        leaves = kernel.leaves(batch)
        asked = None if everywhere else np.stack([test(batch) == 1.0 for test in tests])
        parts = []
        for first in range(0, max(1, batch.rows), rows_at_once):
            rows = slice(first, first + rows_at_once)
            part = leaves[:, rows]
            answers = Answers(
                kernel.score[part],
                kernel.distribution[part] if tabled else None,
                weights,
                None if asked is None else asked[:, rows],
            )
            labels = len(kernel.labels)
            parts.append(combine(answers, segmentation, labels, single=single, initial=initial))
        return parts[0] if len(parts) == 1 else join_predictions(parts)

    one = combine_one(segmentation, weights, len(kernel.labels), single=single, initial=initial)
    added = _added(model, kernel) if everywhere else None
    return added or answer, _row(
        kernel, one, tabled=tabled
    ) if one is not None and everywhere else None


def _added(model: MiningModel, kernel: Kernel) -> Callable[[Batch], Prediction] | None:
    """Return the answer of an ensemble that the kernel can add up itself, None for others.

    Where a tree has no answer the row has none, as without `skipSegment` it should not.
    """
    segmentation = model.segmentation
    method = segmentation.multiple_model_method
    skips = segmentation.missing_prediction_treatment == "skipSegment"
    if model.math_context == "float" or (skips and not kernel.always_answers):
        return None
    if method == "majorityVote":
        votes = kernel.votes()

        def elect(batch: Batch) -> Prediction:
            shares = votes(batch) / kernel.trees
            return Prediction(most_probable(shares), shares)

        return elect
    if kernel.labels or method not in {"sum", "average"}:
        return None
    totals, divisor = kernel.totals(), float(kernel.trees if method == "average" else 1)
    return lambda batch: Prediction(totals(batch) / divisor)


def _row(kernel: Kernel, combine_row: CombineOne, *, tabled: bool) -> Twin:
    def answer(leaves: Column | list[int]) -> RowPrediction:
        if tabled:
            return combine_row(None, kernel.distribution.take(leaves, axis=0))
        return combine_row(kernel.score.take(leaves), None)

    return applied([kernel.row], answer, careful=True)
