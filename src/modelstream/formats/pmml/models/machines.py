"""Compile SupportVectorMachineModel: the values of machines, and the category that they mean.

DMG 4.4, Vector Machine. A missing coordinate gives a missing answer. The probability of a category
is its share of the votes, where machines vote.
"""

from collections.abc import Callable

import numpy as np

from modelstream.errors import InvalidModel, UnsupportedModel
from modelstream.formats import limits
from modelstream.formats.pmml.answers.prediction import Body, Prediction
from modelstream.formats.pmml.elements.vectors import (
    SupportVectorMachine,
    SupportVectorMachineModel,
)
from modelstream.formats.pmml.fields.batch import Batch, Cell
from modelstream.formats.pmml.fields.scope import Scope
from modelstream.formats.pmml.fields.stacks import refuse_single_precision
from modelstream.formats.pmml.models.vectors import dictionary_vectors, make_kernel, record_vectors
from modelstream.messages import Column

_Values = Callable[[Column], Column]


def compile_machines(
    model: SupportVectorMachineModel, declared: tuple[str, ...], scope: Scope
) -> Body:
    """Return a SupportVectorMachineModel's rule; `declared` are the categories of its target.

    Raises InvalidModel or UnsupportedModel, naming what is wrong with it.
    """
    refuse_single_precision(model)
    if not model.machines:
        raise InvalidModel("a SupportVectorMachineModel has no SupportVectorMachine")
    values = _values(model, scope)
    make = scope.context.cells.make
    if model.function_name == "regression":
        if len(model.machines) != 1:
            raise InvalidModel(
                f"a regression needs one SupportVectorMachine, it has {len(model.machines)}"
            )
        return Body((), make(lambda batch: Prediction(batch.read(values)[0])))
    pairs = _pairs(model)
    if pairs is None:
        labels = _one_against_all(model)
        strongest = make(lambda batch: _strongest(batch.read(values), model.max_wins))
        return Body(labels, strongest, probable=False)
    labels = tuple(dict.fromkeys(label for pair in pairs for label in pair))
    if set(labels) <= set(declared):
        labels = tuple(label for label in declared if label in labels)
    return Body(labels, make(_vote(model, pairs, labels, values)))


def _values(model: SupportVectorMachineModel, scope: Scope) -> Cell[Column]:
    """Return the cell of what the machines' functions give: a matrix of a machine a row."""
    records = record_vectors(model.dictionary.fields, scope)
    if model.svm_representation == "Coefficients":
        evaluate, rows_at_once = _linear(model), limits.PMML_ENSEMBLE_CELLS_MAX
    else:
        evaluate, count = _kernel_sums(model)
        rows_at_once = max(1, limits.PMML_ENSEMBLE_CELLS_MAX // max(1, count))

    def compute(batch: Batch) -> Column:
        vectors = batch.read(records)
        parts = [
            evaluate(vectors[:, first : first + rows_at_once])
            for first in range(0, max(1, batch.rows), rows_at_once)
        ]
        return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)

    return scope.context.cells.make(compute)


def _kernel_sums(model: SupportVectorMachineModel) -> tuple[_Values, int]:
    """Return the machines' functions of support vectors, and how many vectors there are."""
    positions, vectors = dictionary_vectors(model.dictionary)
    kernel = make_kernel(model, vectors)
    sums = []
    for machine in model.machines:
        ids = [] if machine.vectors is None else [v.vector_id for v in machine.vectors.vectors]
        unknown = [name for name in ids if name not in positions]
        if unknown:
            raise InvalidModel(f"SupportVector {unknown[0]!r} is not in the VectorDictionary")
        chosen = np.array([positions[name] for name in ids], dtype=np.intp)
        sums.append((chosen, _coefficients(machine, len(ids)), _constant(machine)))

    def evaluate(records: Column) -> Column:
        products = kernel(records)
        rows = [
            np.einsum("v,vr->r", weights, products[chosen]) + constant
            for chosen, weights, constant in sums
        ]
        values = np.stack(rows)
        values[:, np.isnan(records).any(axis=0)] = np.nan
        return values

    return evaluate, len(positions)


def _linear(model: SupportVectorMachineModel) -> _Values:
    """Return the machines' functions of coordinates, whose coefficients are given themselves."""
    if model.linear is None:
        raise InvalidModel("svmRepresentation='Coefficients' needs a LinearKernelType")
    length = len(model.dictionary.fields.coordinates)
    weights = np.array([_coefficients(machine, length) for machine in model.machines])
    constants = np.array([_constant(machine) for machine in model.machines])[:, None]

    def evaluate(records: Column) -> Column:
        values: Column = np.einsum("fr,mf->mr", records, weights) + constants
        return values

    return evaluate


def _coefficients(machine: SupportVectorMachine, length: int) -> Column:
    values = [coefficient.value for coefficient in machine.coefficients.values]
    if len(values) != length:
        raise InvalidModel(f"a SupportVectorMachine has {len(values)} Coefficients for {length}")
    return np.array(values, dtype=np.float64)


def _constant(machine: SupportVectorMachine) -> float:
    return machine.coefficients.absolute_value


def _pairs(model: SupportVectorMachineModel) -> list[tuple[str, str]] | None:
    """Return the two categories of each machine; None where each stands against all others."""
    machines = model.machines
    single = machines[0].alternate_target_category or model.alternate_binary_target_category
    if model.classification_method == "OneAgainstAll" and (len(machines) > 1 or single is None):
        return None
    pairs = []
    for machine in machines:
        other = single if len(machines) == 1 else machine.alternate_target_category
        if machine.target_category is None or other is None or machine.target_category == other:
            raise InvalidModel(
                "a SupportVectorMachine needs a targetCategory and another alternateTargetCategory"
            )
        pairs.append((machine.target_category, other))
    return pairs


def _one_against_all(model: SupportVectorMachineModel) -> tuple[str, ...]:
    labels = [machine.target_category for machine in model.machines]
    if len(labels) < 2 or len(set(labels)) < len(labels) or None in labels:
        raise InvalidModel("OneAgainstAll needs a SupportVectorMachine for each targetCategory")
    if any(machine.alternate_target_category is not None for machine in model.machines):
        raise UnsupportedModel(
            "alternateTargetCategory with several machines is evaluated with "
            "classificationMethod='OneAgainstOne' only"
        )
    return tuple(str(label) for label in labels)


def _strongest(values: Column, max_wins: bool) -> Prediction:  # PMML's own word
    """Return the position of the largest value, or of the smallest, the first of equals."""
    best = (values if max_wins else -values).argmax(axis=0)
    return Prediction(np.where(np.isnan(values).any(axis=0), np.nan, best))


def _vote(
    model: SupportVectorMachineModel,
    pairs: list[tuple[str, str]],
    labels: tuple[str, ...],
    values: Cell[Column],
) -> Callable[[Batch], Prediction]:
    """Return the rule by which each machine votes for one of its two categories."""
    thresholds = np.array(
        [model.threshold if m.threshold is None else m.threshold for m in model.machines]
    )[:, None]
    target = np.array([labels.index(first) for first, _ in pairs])[:, None]
    other = np.array([labels.index(second) for _, second in pairs])[:, None]

    def answer(batch: Batch) -> Prediction:
        found = batch.read(values)
        wins = found > thresholds if model.max_wins else found < thresholds
        voted = np.where(wins, target, other)
        votes = np.stack([(voted == label).sum(axis=0) for label in range(len(labels))], axis=1)
        shares = votes / len(pairs)
        absent = np.isnan(found).any(axis=0)
        shares[absent] = np.nan
        return Prediction(np.where(absent, np.nan, votes.argmax(axis=1)), shares)

    return answer
