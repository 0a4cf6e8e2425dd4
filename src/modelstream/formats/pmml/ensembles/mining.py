"""Compile MiningModel: ensembles, selections and chains of models (DMG 4.4, Multiple Models).

An ensemble of nothing but trees is a forest, which `treeensembles` compiles.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from modelstream.errors import InvalidModel, UnsupportedModel
from modelstream.formats.pmml.answers.prediction import (
    Answer,
    Body,
    Prediction,
    first_answer,
    relabel,
    relabel_one,
)
from modelstream.formats.pmml.answers.targets import base_score
from modelstream.formats.pmml.elements.models import (
    MiningModel,
    ModelElement,
    Segment,
    Segmentation,
)
from modelstream.formats.pmml.elements.predicates import Always
from modelstream.formats.pmml.ensembles.ensembles import (
    CLASSIFICATIONS,
    REGRESSIONS,
    VOTES,
    Answers,
    combine,
)
from modelstream.formats.pmml.ensembles.ensembles_row import CombineOne, combine_one
from modelstream.formats.pmml.ensembles.segments import CompiledModel, Composition, Run, make_run
from modelstream.formats.pmml.ensembles.treeensembles import (
    compile_forest,
    is_forest,
    with_segments,
)
from modelstream.formats.pmml.expressions.predicates import compile_predicate
from modelstream.formats.pmml.fields.batch import Batch, Cell
from modelstream.formats.pmml.fields.rows import RowPrediction, Twin, applied, of_cell
from modelstream.formats.pmml.fields.scope import Scope
from modelstream.messages import Column

CompileModel = Callable[[ModelElement, Scope], CompiledModel]
_METHODS = {"regression": REGRESSIONS, "classification": CLASSIFICATIONS}
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
        allowed = _METHODS.get(model.function_name, frozenset())
        if method not in allowed:
            raise UnsupportedModel(
                f"multipleModelMethod={method!r} of a {model.function_name} is not evaluated; "
                f"supported: {', '.join(sorted(allowed | CHAINS | {'selectFirst'}))}"
            )
        if is_forest(model):
            return compile_forest(model, scope, labels)
    runs = _runs(segmentation, scope, compile_model)
    lowered = with_segments(model, [(run.segment, run.model.element) for run in runs])
    answers = ((run.segment.id, run.answered_outside(scope)) for run in runs)
    segments = {known: answer for known, answer in answers if known is not None and answer}
    chained = runs if method in CHAINS else []
    targets = tuple(run.outside(field, scope) for run in chained for field in run.model.targets)
    finals = tuple(run.outside(field, scope) for run in chained for field in run.model.finals)
    outputs = tuple(run.outside(field, scope) for run in chained for field in run.model.outputs)
    if method in MULTI_CHAINS:
        return Composition(lowered, None, segments, targets, finals, outputs)
    answering = _answering(runs) if method == "modelChain" else runs
    shared = _shared_labels(labels, model, answering)
    if method in {"modelChain", "selectFirst"}:
        rule = _first(answering, shared)
    else:
        rule = _ensemble(model, runs, shared)
    probable = method in VOTES or all(_is_probable(run) for run in answering)
    body = Body(shared, scope.context.cells.make(*rule), probable=probable)
    if method == "modelChain" and len(answering) == 1:
        body = _of_kind(body, answering[0])
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
            everywhere = scope.context.cells.make(
                lambda batch: np.ones(batch.rows, np.bool_), lambda plan: plan.constant(True)
            )
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

    def runs(outcome: float, *earlier: bool) -> bool:
        return outcome == 1.0 and not any(earlier)

    row = applied([test.row, *map(of_cell, before)], runs)
    return scope.context.cells.make(compute, row)


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


def _of_kind(body: Body, last: Run) -> Body:
    """Return a chain's rule with what its last model alone can tell, where that always runs."""
    answered = last.model.answered
    if answered is None or last.rows is not None:
        return body
    return replace(
        body, entities=answered.entities, features=answered.features, lists=answered.lists
    )


def _first(runs: list[Run], labels: tuple[str, ...]) -> tuple[Answer, Twin | None]:
    """Return for each row the answer of the first of these models that runs for it."""
    if runs[0].rows is None:
        only = runs[0]
        row = applied([only.predict_row], lambda p: relabel_one(p, only.labels, labels))
        return lambda batch: relabel(only.predict(batch), only.labels, labels), row

    def answer(batch: Batch) -> Prediction:
        predictions = [relabel(run.predict(batch), run.labels, labels) for run in runs]
        return first_answer(predictions, [run.asked(batch) for run in runs])

    probable = all(map(_is_probable, runs))

    def answer_one(*given: Any) -> RowPrediction:
        for run, asked, prediction in zip(runs, given[::2], given[1::2], strict=True):
            if asked:
                found = relabel_one(prediction, run.labels, labels)
                return RowPrediction(found.value, found.probabilities if probable else None)
        return RowPrediction(np.nan, [np.nan] * len(labels) if probable and labels else None)

    return answer, applied(
        [t for run in runs for t in (run.asked_row, run.predict_row)], answer_one
    )


def _predicts(model: CompiledModel) -> bool:
    """Tell whether a model has one predicted value."""
    return model.answered is not None and model.answered.predicts


def _is_probable(run: Run) -> bool:
    """Tell whether a classification gives probabilities; a regression has no need of them."""
    return run.model.answered is None or run.model.answered.probable


def _ensemble(
    model: MiningModel, runs: list[Run], labels: tuple[str, ...]
) -> tuple[Answer, Twin | None]:
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

    one = combine_one(segmentation, weights, len(labels), single=single, initial=initial)
    return answer, None if one is None or not everywhere else _ensemble_row(runs, labels, one)


def _ensemble_row(runs: list[Run], labels: tuple[str, ...], combine_row: CombineOne) -> Twin:
    def answer(*given: RowPrediction) -> RowPrediction:
        each = [relabel_one(p, run.labels, labels) for p, run in zip(given, runs, strict=True)]
        tables = [p.probabilities for p in each if p.probabilities is not None]
        table = np.array(tables) if labels and len(tables) == len(each) else None
        return combine_row(np.array([p.value for p in each], np.float64), table)

    return applied([run.predict_row for run in runs], answer, careful=True)
