"""Vectors of a VectorDictionary, records as such vectors, and kernels between the two.

DMG 4.4, Vector Machine. Matrices have a coordinate a row; of records, a record a column.
"""

from collections.abc import Callable

import numpy as np

from modelstream.errors import InvalidModel, UnsupportedModel
from modelstream.formats import limits
from modelstream.formats.pmml.elements.expressions import FieldRef
from modelstream.formats.pmml.elements.predictors import CategoricalPredictor
from modelstream.formats.pmml.elements.vectors import (
    RealSparseArray,
    SupportVectorMachineModel,
    VectorDictionary,
    VectorFields,
    VectorInstance,
)
from modelstream.formats.pmml.expressions.expressions import compile_expression, make_field
from modelstream.formats.pmml.fields.arrays import array_numbers, parse_numbers
from modelstream.formats.pmml.fields.batch import Batch, Cell
from modelstream.formats.pmml.fields.scope import Field, Scope
from modelstream.formats.pmml.fields.stacks import stack_fields
from modelstream.formats.pmml.fields.values import missing, parse_declared
from modelstream.messages import Column

Kernel = Callable[[Column], Column]


def record_vectors(fields: VectorFields, scope: Scope) -> Cell[Column]:
    """Return the cell of a batch's records as vectors, a coordinate a row."""
    made = [_coordinate(coordinate, scope) for coordinate in fields.coordinates]
    if not made:
        raise InvalidModel("VectorFields holds no field")
    return stack_fields(made, scope, "VectorFields")


def _coordinate(coordinate: FieldRef | CategoricalPredictor, scope: Scope) -> Field:
    if isinstance(coordinate, FieldRef):
        name = coordinate.field
        return make_field(name, compile_expression(coordinate, scope), "continuous", scope)
    field = scope.find(coordinate.name)
    where = f"CategoricalPredictor {coordinate.name!r}"
    value = parse_declared(coordinate.value, field.data_type, where)
    coefficient = coordinate.coefficient

    def indicate(batch: Batch) -> Column:
        column = batch.read(field.cell)
        return np.where(missing(column), np.nan, np.where(column == value, coefficient, 0.0))

    cell = scope.context.cells.make(indicate)
    return Field(coordinate.name, "double", "continuous", cell, field.depth + 1)


def dictionary_vectors(dictionary: VectorDictionary) -> tuple[dict[str, int], Column]:
    """Return the position of each vector by id, and the vectors, one a column."""
    length = len(dictionary.fields.coordinates)
    if length * len(dictionary.vectors) > limits.PMML_TABLE_CELLS_MAX:
        raise UnsupportedModel(
            f"a VectorDictionary of {len(dictionary.vectors)} vectors with {length} coordinates; "
            f"their product is at most {limits.PMML_TABLE_CELLS_MAX}"
        )
    positions: dict[str, int] = {}
    vectors = []
    for instance in dictionary.vectors:
        if instance.id in positions:
            raise InvalidModel(f"the VectorDictionary has two vectors {instance.id!r}")
        positions[instance.id] = len(positions)
        vectors.append(_vector(instance, length))
    return positions, np.array(vectors).T.reshape(length, len(vectors))


def _vector(instance: VectorInstance, length: int) -> Column:
    where = f"VectorInstance {instance.id!r}"
    if (instance.dense is None) == (instance.sparse is None):
        raise InvalidModel(f"{where} needs either an Array or a REAL-SparseArray")
    if instance.sparse is not None:
        return _sparse(instance.sparse, length, where)
    assert instance.dense is not None
    vector = array_numbers(instance.dense, where)
    if len(vector) != length:
        raise InvalidModel(f"{where} has {len(vector)} numbers for {length} fields")
    return vector


def _sparse(array: RealSparseArray, length: int, where: str) -> Column:
    indices = parse_numbers([] if array.indices is None else array.indices.text.split(), where)
    entries = parse_numbers([] if array.entries is None else array.entries.text.split(), where)
    if len(indices) != len(entries) or (array.n is not None and array.n != length):
        raise InvalidModel(f"{where}: the REAL-SparseArray does not fit the {length} fields")
    places = indices.astype(np.intp) - 1
    if len(np.unique(places)) < len(places) or ((places < 0) | (places >= length)).any():
        raise InvalidModel(f"{where}: Indices are twice the same, or not from 1 to {length}")
    vector = np.full(length, array.default_value)
    vector[places] = entries
    return vector


def make_kernel(model: SupportVectorMachineModel, vectors: Column) -> Kernel:
    """Return what takes records to their kernel with each vector: a vector a row."""
    kernels = [k for k in (model.linear, model.polynomial, model.radial, model.sigmoid) if k]
    if len(kernels) != 1:
        raise InvalidModel(f"a SupportVectorMachineModel has {len(kernels)} kernels, not one")
    if model.radial is not None:
        gamma = model.radial.gamma
        return lambda records: np.exp(-gamma * _squared_distances(records, vectors))

    def products(records: Column) -> Column:
        product: Column = np.einsum("fr,fv->vr", records, vectors)
        return product

    if model.polynomial is not None:
        poly = model.polynomial
        return lambda records: (poly.gamma * products(records) + poly.coef0) ** poly.degree
    if model.sigmoid is not None:
        sigmoid = model.sigmoid
        return lambda records: np.tanh(sigmoid.gamma * products(records) + sigmoid.coef0)
    return products


def _squared_distances(records: Column, vectors: Column) -> Column:
    """Return ||x - y||², summed over coordinates: differences of large squares lose digits."""
    total = np.zeros((vectors.shape[1], records.shape[1]))
    for record, vector in zip(records, vectors, strict=True):
        total += np.square(record[None, :] - vector[:, None])
    return total
