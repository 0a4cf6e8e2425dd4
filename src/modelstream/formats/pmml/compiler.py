"""Compile one model element of any kind: its fields, its rule, its target and its outputs."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial

import msgspec

from modelstream.errors import InvalidModel, UnsupportedModel
from modelstream.formats.pmml.answers.outputs import Answered, compile_output
from modelstream.formats.pmml.answers.prediction import Body, Prediction
from modelstream.formats.pmml.answers.targets import (
    UNNAMED,
    find_target,
    settle_targets,
    target_field,
)
from modelstream.formats.pmml.elements.expressions import DerivedField
from modelstream.formats.pmml.elements.fields import DataField, MiningField, OutputField
from modelstream.formats.pmml.elements.models import (
    AnomalyDetectionModel,
    MiningModel,
    ModelElement,
    TreeModel,
)
from modelstream.formats.pmml.elements.nearestneighbor import NearestNeighborModel
from modelstream.formats.pmml.elements.neural import NeuralNetwork
from modelstream.formats.pmml.ensembles.mining import CHAINS, compile_mining
from modelstream.formats.pmml.ensembles.segments import CompiledModel, Composition
from modelstream.formats.pmml.expressions.expressions import derive_field, fields_read
from modelstream.formats.pmml.fields.batch import Batch
from modelstream.formats.pmml.fields.dictionary import inner_field, valid_values
from modelstream.formats.pmml.fields.rows import RowPrediction, applied, of_cell
from modelstream.formats.pmml.fields.scope import Compiled, Field, Scope
from modelstream.formats.pmml.fields.values import texts
from modelstream.formats.pmml.models.anomaly import compile_anomaly
from modelstream.formats.pmml.models.bodies import compile_body
from modelstream.formats.pmml.models.nearestneighbor import compile_neighbor_targets
from modelstream.formats.pmml.models.neural import compile_neural_targets
from modelstream.formats.pmml.trees.forest import Kernel
from modelstream.formats.pmml.trees.trees import lower_trees
from modelstream.formats.pmml.trees.walks import compile_walk, is_walked
from modelstream.messages import Column

TARGET_USES = frozenset({"target", "predicted"})


def compile_model(element: ModelElement, outer: Scope) -> CompiledModel:
    """Return an inner model ready to run on the fields of a scope.

    Raises InvalidModel or UnsupportedModel, naming what is wrong with it.
    """
    outer.context.count_model()
    scope = Scope(outer.context, outer)
    for mining in element.mining_schema.fields:
        if mining.usage_type not in TARGET_USES:
            _declare_inner(mining, scope, outer)
    return compile_outermost(element, scope)


def compile_outermost(element: ModelElement, outer: Scope) -> CompiledModel:
    """Return a model ready to run on fields that are treated as its MiningSchema says."""
    if not element.is_scorable:
        raise UnsupportedModel("the model is declared not to be scorable (isScorable)")
    scope = Scope(outer.context, outer)
    if element.local_transformations is not None:
        declare_derived(element.local_transformations.fields, scope)
    if isinstance(element, NeuralNetwork | NearestNeighborModel) and len(_targets(element)) > 1:
        return _compile_several(element, scope)
    data = _target_data(element, scope)
    rule = _compile_rule(element, scope, data)
    answered = None if rule.body is None else _answered(element, rule.body, data, scope)
    for known in rule.outputs:
        scope.add(known)
    outputs = _outputs(element, rule.segments, lambda _: answered, scope)
    return _assemble(element, rule, answered, outputs)


def _compile_several(element: NeuralNetwork | NearestNeighborModel, scope: Scope) -> CompiledModel:
    """Return a model of several targets; its outputs say which of them they are about."""
    data = [scope.context.data[name] for name in _targets(element) if name in scope.context.data]
    if len(data) < len(_targets(element)):
        raise InvalidModel(f"a target of {', '.join(_targets(element))} is no DataField")
    if isinstance(element, NeuralNetwork):
        bodies = compile_neural_targets(element, data, scope)
    else:
        bodies = compile_neighbor_targets(element, data, scope)
    answered = {d.name: _answered(element, bodies[d.name], d, scope) for d in data}
    rule = Composition(element, None, targets=tuple(a.field for a in answered.values()))
    shared = answered[data[0].name]

    def source(output: OutputField) -> Answered | None:
        if output.target_field is None and output.feature in shared.features:
            return shared  # what is asked is the same for all targets
        return answered.get(output.target_field or "")

    return _assemble(element, rule, None, _outputs(element, {}, source, scope))


def _targets(element: ModelElement) -> list[str]:
    return [f.name for f in element.mining_schema.fields if f.usage_type in TARGET_USES]


def _target_data(element: ModelElement, scope: Scope) -> DataField | None:
    """Return the declaration of a model's target; a chain's is that of its last segment."""
    names = _targets(element)
    if len(names) > 1 and isinstance(element, MiningModel):
        segmentation = element.segmentation
        last = segmentation.segments[-1].model if segmentation.segments else None
        if segmentation.multiple_model_method in CHAINS and last is not None:
            return _target_data(last, scope)
    if len(names) > 1:
        raise UnsupportedModel(
            f"a model with several targets ({', '.join(names)}) is evaluated as a chain, a "
            "NeuralNetwork or a NearestNeighborModel"
        )
    return scope.context.data.get(names[0]) if names else None


def declare_derived(fields: Iterable[DerivedField], scope: Scope) -> None:
    """Put derived fields into a scope; each is built when it is first asked for."""
    for derived in fields:
        name = derived.name
        if name is None:
            raise InvalidModel("a DerivedField of a dictionary has no name")
        reads = partial(fields_read, derived.expression)
        scope.declare(name, partial(derive_field, derived, name, scope), reads)


def _declare_inner(mining: MiningField, scope: Scope, outer: Scope) -> None:
    scope.declare(mining.name, lambda: inner_field(scope.context, outer.find(mining.name), mining))


def _compile_rule(element: ModelElement, scope: Scope, data: DataField | None) -> Composition:
    labels = () if data is None else valid_values(data)
    match element:
        case MiningModel():
            return compile_mining(element, scope, labels, compile_model)
        case AnomalyDetectionModel():
            return compile_anomaly(element, scope, compile_model)
        case TreeModel():
            return _compile_tree(element, scope, labels)
        case _:
            return Composition(element, compile_body(element, scope, data))


def _compile_tree(model: TreeModel, scope: Scope, labels: tuple[str, ...]) -> Composition:
    """Return a tree's rule, lowered to a forest of one wherever one branch is enough."""
    if is_walked(model):
        return Composition(model, _penalized(model, compile_walk(model, scope, labels)))
    forest = model.forest
    if forest is None:
        forest = lower_trees([model], scope, labels)
        model = msgspec.structs.replace(model, node=None, forest=forest)
    kernel = Kernel(forest, scope)
    if kernel.trees != 1:
        raise InvalidModel("the lowered forest of a TreeModel is not one tree")
    cells = scope.context.cells
    leaf = cells.make(
        lambda batch: kernel.leaves(batch)[0], applied([kernel.row], lambda leaves: leaves[0])
    )

    def answer(batch: Batch) -> Prediction:
        leaves = batch.read(leaf)
        return Prediction(
            kernel.score[leaves],
            kernel.distribution[leaves] if len(kernel.distribution) else None,
            kernel.confidence[leaves] if len(kernel.confidence) else None,
        )

    def answer_one(leaf: int) -> RowPrediction:
        return RowPrediction(
            float(kernel.score[leaf]),
            kernel.distribution[leaf].tolist() if len(kernel.distribution) else None,
            kernel.confidence[leaf].tolist() if len(kernel.confidence) else None,
        )

    ids = texts(list(kernel.ids))

    def entities(batch: Batch) -> Column:
        column: Column = ids[batch.read(leaf)]
        return column

    at = of_cell(leaf)
    body = Body(
        kernel.labels,
        cells.make(answer, applied([at], answer_one)),
        cells.make(entities, applied([at], lambda leaf: kernel.ids[leaf])),
    )
    return Composition(model, _penalized(model, body))


def _penalized(model: TreeModel, body: Body) -> Body:
    """Return a tree's rule without confidences where missing values would lower them."""
    if model.missing_value_penalty == 1.0:
        return body

    def refuse(output: OutputField) -> Compiled:
        raise UnsupportedModel(
            f"OutputField {output.name!r}: confidence with a missingValuePenalty other than 1 is "
            "not evaluated"
        )

    return replace(body, features={**body.features, "confidence": refuse})


def _answered(element: ModelElement, body: Body, data: DataField | None, scope: Scope) -> Answered:
    """Return a model's own answer; its field is known by the target's name from here on."""
    target = find_target(element, None if data is None else data.name)
    cell = settle_targets(body, target, scope)
    field = target_field(body, cell, target, data, scope)
    scope.add(field)
    return Answered(
        body.labels,
        cell,
        field,
        target,
        body.features,
        data,
        body.entities,
        body.probable,
        body.predicts,
        body.lists,
    )


def _outputs(
    element: ModelElement,
    segments: dict[str, Answered],
    source: Callable[[OutputField], Answered | None],
    scope: Scope,
) -> list[Field]:
    """Return the fields of the outputs; `source` is the answer that each is about."""
    declared = () if element.output is None else element.output.fields
    for output in declared:
        build = partial(compile_output, output, source(output), segments, scope)
        scope.declare(output.name, build)
    return [scope.find(output.name) for output in declared]


def _assemble(
    element: ModelElement, rule: Composition, answered: Answered | None, outputs: list[Field]
) -> CompiledModel:
    """Return the model with the fields it answers with: target, outputs, those of its segments."""
    declared = () if element.output is None else element.output.fields
    own = [field for field, output in zip(outputs, declared, strict=True) if output.is_final_result]
    if answered is not None:
        predicts = rule.body is None or rule.body.predicts
        targets: tuple[Field, ...] = (answered.field,) if predicts else ()
    else:
        targets = tuple(field for field in rule.targets if field.name != UNNAMED)
    # Of two with one name the later is meant, and a model's own before its segments'.
    finals = {field.name: field for field in (*rule.finals, *own)}
    every = (*rule.outputs, *outputs)
    return CompiledModel(rule.element, answered, targets, tuple(finals.values()), every)
