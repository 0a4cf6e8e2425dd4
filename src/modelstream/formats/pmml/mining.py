"""Compile MiningModel: ensembles, selections and chains of models (DMG 4.4, Multiple Models).

An ensemble of nothing but trees is lowered to one forest, and runs as one.
"""

from collections.abc import Callable, Sequence

import msgspec
import numpy as np

from modelstream import limits
from modelstream.errors import InvalidModel, UnsupportedModel
from modelstream.formats.pmml.batch import Batch, Cell
from modelstream.formats.pmml.elements.models import (
    MiningModel,
    ModelElement,
    Segment,
    Segmentation,
    TreeModel,
)
from modelstream.formats.pmml.elements.predicates import Always
from modelstream.formats.pmml.ensembles import (
    CLASSIFICATIONS,
    REGRESSIONS,
    VOTES,
    Answers,
    combine,
)
from modelstream.formats.pmml.forest import Kernel
from modelstream.formats.pmml.predicates import compile_predicate
from modelstream.formats.pmml.prediction import (
    Body,
    Prediction,
    first_answer,
    join_predictions,
    relabel,
)
from modelstream.formats.pmml.scope import Scope
from modelstream.formats.pmml.segments import CompiledModel, Composition, Run, make_run
from modelstream.formats.pmml.targets import base_score
from modelstream.formats.pmml.trees import lower_trees
from modelstream.formats.pmml.walks import is_walked
from modelstream.messages import Column

CompileModel = Callable[[ModelElement, Scope], CompiledModel]
MULTI_CHAINS = frozenset({"multiModelChain", "x-multiModelChain"})
CHAINS = MULTI_CHAINS | {"modelChain"}


def compile_mining(
    model: MiningModel, scope: Scope, labels: tuple[str, ...], compile_model: CompileModel
) -> Composition:
    """Return a MiningModel's rule; `labels` are the categories declared for its target."""
    segmentation = model.segmentation
    method = segmentation.multiple_model_method
    if not segmentation.segments:
        raise InvalidModel("a Segmentation holds no Segment")
    if method not in CHAINS | {"selectFirst"}:
        allowed = REGRESSIONS if model.function_name == "regression" else CLASSIFICATIONS
        if method not in allowed:
            raise UnsupportedModel(
                f"multipleModelMethod={method!r} of a {model.function_name} is not evaluated; "
                f"supported: {', '.join(sorted(allowed | CHAINS | {'selectFirst'}))}"
            )
        if _is_forest(model):
            return _forest(model, scope, labels)
    runs = _runs(segmentation, scope, compile_model)
    lowered = _with_segments(model, [(run.segment, run.model.element) for run in runs])
    segments = {
        run.segment.id: run.model.answered
        for run in runs
        if run.segment.id is not None and run.model.answered is not None and run.rows is None
    }
    chained = runs if method in CHAINS else []
    targets = tuple(run.outside(field, scope) for run in chained for field in run.model.targets)
    finals = tuple(run.outside(field, scope) for run in chained for field in run.model.finals)
    outputs = tuple(run.outside(field, scope) for run in chained for field in run.model.outputs)
    if method in MULTI_CHAINS:
        return Composition(lowered, None, segments, targets, finals, outputs)
    answering = _answering(runs) if method == "modelChain" else runs
    shared = _shared_labels(labels, model, answering)
    if method in {"modelChain", "selectFirst"}:
        answer = _first(answering, shared)
    else:
        answer = _ensemble(model, runs, shared)
    probable = method in VOTES or all(_is_probable(run) for run in answering)
    body = Body(shared, scope.context.cells.make(answer), probable=probable)
    return Composition(lowered, body, segments, targets, finals, outputs)


def _runs(segmentation: Segmentation, scope: Scope, compile_model: CompileModel) -> list[Run]:
    """Return the segments ready to run; in a chain each sees the outputs of those before it."""
    method = segmentation.multiple_model_method
    inner = Scope(scope.context, scope)
    runs: list[Run] = []
    taken: list[Cell[Column]] = []  # where a segment before runs, of a selection
    for segment in segmentation.segments:
        if segment.model is None:
            raise InvalidModel(f"Segment {segment.id!r} holds no model")
        rows = _rows(segment, inner, taken)
        if method == "selectFirst":
            everywhere = scope.context.cells.make(lambda batch: np.ones(batch.rows, np.bool_))
            taken.append(rows or everywhere)
        shared = scope.context.cells.made
        model = compile_model(segment.model, inner)
        if method not in CHAINS and not _predicts(model):
            raise UnsupportedModel(
                f"Segment {segment.id!r} does not answer one target, so only a chain can hold it"
            )
        run = make_run(segment, model, rows, shared, scope)
        if method in CHAINS:
            for output in model.outputs:
                inner.add(run.outside(output, scope))
        runs.append(run)
    return runs


def _rows(segment: Segment, scope: Scope, taken: list[Cell[Column]]) -> Cell[Column] | None:
    """Return where a segment runs: its predicate is true, and no row of `taken` is meant."""
    if isinstance(segment.predicate, Always) and not taken:
        return None
    test, before = compile_predicate(segment.predicate, scope), tuple(taken)

    def compute(batch: Batch) -> Column:
        rows: Column = test(batch) == 1.0
        for earlier in before:
            rows = rows & ~batch.read(earlier)
        return rows

    return scope.context.cells.make(compute)


def _answering(runs: list[Run]) -> list[Run]:
    """Return the segments that a chain's answer can come from, the last one first."""
    answering: list[Run] = []
    for run in reversed(runs):
        answering.append(run)
        if run.rows is None:
            break
    if not all(_predicts(run.model) for run in answering):
        raise UnsupportedModel("the last Segment of a modelChain must answer one target")
    return answering


def _shared_labels(
    declared: tuple[str, ...], model: MiningModel, runs: list[Run]
) -> tuple[str, ...]:
    """Return the labels of the whole: those declared for the target if they are all there are."""
    if any(bool(run.labels) != bool(runs[0].labels) for run in runs):
        raise UnsupportedModel("a MiningModel mixes regressions and classifications")
    if not runs[0].labels:
        if model.function_name == "classification":
            raise UnsupportedModel("a classification MiningModel of regressions is not evaluated")
        return ()
    if len(runs) == 1:
        return runs[0].labels
    met = tuple(dict.fromkeys(label for run in runs for label in run.labels))
    return declared if set(met) <= set(declared) else met


def _first(runs: list[Run], labels: tuple[str, ...]) -> Callable[[Batch], Prediction]:
    """Return for each row the answer of the first of these models that runs for it."""
    if runs[0].rows is None:
        return lambda batch: relabel(runs[0].predict(batch), runs[0].labels, labels)

    def answer(batch: Batch) -> Prediction:
        predictions = [relabel(run.predict(batch), run.labels, labels) for run in runs]
        return first_answer(predictions, [run.asked(batch) for run in runs])

    return answer


def _predicts(model: CompiledModel) -> bool:
    """Tell whether a model has one predicted value."""
    return model.answered is not None and model.answered.predicts


def _is_probable(run: Run) -> bool:
    """Tell whether a classification gives probabilities; a regression has no need of them."""
    return run.model.answered is None or run.model.answered.probable


def _ensemble(
    model: MiningModel, runs: list[Run], labels: tuple[str, ...]
) -> Callable[[Batch], Prediction]:
    segmentation, single = model.segmentation, model.math_context == "float"
    method = segmentation.multiple_model_method
    if labels and method not in VOTES and not all(_is_probable(run) for run in runs):
        raise UnsupportedModel(
            f"multipleModelMethod={method!r} needs the probabilities of all segments, and some "
            f"give none; supported for them: {', '.join(sorted(VOTES))}"
        )
    initial = base_score(model)
    weights = np.array([run.segment.weight for run in runs])
    everywhere = all(run.rows is None for run in runs)

    def answer(batch: Batch) -> Prediction:
        predictions = [relabel(run.predict(batch), run.labels, labels) for run in runs]
        tables = [p.probabilities for p in predictions if p.probabilities is not None]
        answers = Answers(
            np.stack([p.values for p in predictions]),
            np.stack(tables) if len(tables) == len(runs) else None,
            weights,
            None if everywhere else np.stack([run.asked(batch) for run in runs]),
        )
        return combine(answers, segmentation, len(labels), single=single, initial=initial)

    return answer


def _with_segments(
    model: MiningModel, segments: Sequence[tuple[Segment, ModelElement | None]]
) -> MiningModel:
    """Return the model with other models in its segments."""
    replaced = tuple(msgspec.structs.replace(s, model=inner) for s, inner in segments)
    segmentation = msgspec.structs.replace(model.segmentation, segments=replaced)
    return msgspec.structs.replace(model, segmentation=segmentation)


def _is_forest(model: MiningModel) -> bool:
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


def _forest(model: MiningModel, scope: Scope, labels: tuple[str, ...]) -> Composition:
    """Return an ensemble of trees, lowered to one forest."""
    segmentation = model.segmentation
    if len(segmentation.segments) > limits.PMML_TREES_MAX:
        raise UnsupportedModel(
            f"an ensemble of {len(segmentation.segments)} trees is not evaluated; "
            f"{limits.PMML_TREES_MAX} are"
        )
    forest = segmentation.forest
    if forest is None:
        trees = [s.model for s in segmentation.segments if isinstance(s.model, TreeModel)]
        forest = lower_trees(trees, scope, labels)
        bare = _with_segments(model, [(segment, None) for segment in segmentation.segments])
        segmentation = msgspec.structs.replace(bare.segmentation, forest=forest)
        model = msgspec.structs.replace(model, segmentation=segmentation)
    kernel = Kernel(forest, scope)
    if kernel.trees != len(segmentation.segments):
        raise InvalidModel("a lowered forest has not as many trees as segments")
    answer = _forest_answer(model, kernel, scope)
    return Composition(model, Body(kernel.labels, scope.context.cells.make(answer)))


def _forest_answer(
    model: MiningModel, kernel: Kernel, scope: Scope
) -> Callable[[Batch], Prediction]:
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

    return answer
