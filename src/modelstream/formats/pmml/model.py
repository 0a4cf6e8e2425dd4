"""A PMML model as the engine sees it: columns in, columns out."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np

from modelstream import limits
from modelstream.errors import InvalidModel, InvalidRecord, UnsupportedModel
from modelstream.formats import base
from modelstream.formats.description import decode_description
from modelstream.formats.pmml.compiler import TARGET_USES, compile_outermost, declare_derived
from modelstream.formats.pmml.elements.fields import MiningField
from modelstream.formats.pmml.elements.models import Document
from modelstream.formats.pmml.elements.vocabulary import MODELS, tag_of
from modelstream.formats.pmml.ensembles.segments import CompiledModel
from modelstream.formats.pmml.fields.batch import Batch
from modelstream.formats.pmml.fields.dictionary import input_field
from modelstream.formats.pmml.fields.rowwise import Rowwise, plan_rows
from modelstream.formats.pmml.fields.scope import Context, Field, Scope
from modelstream.formats.pmml.fields.values import field_type, public, without
from modelstream.messages import Columns, Scores


@dataclass(frozen=True, slots=True)
class PmmlModel:
    """A compiled document. `active` are the fields it reads, `answers` those it answers with.

    `rowwise` scores small batches, for models that it can score; `description` is encoded: few
    models are ever asked for it.
    """

    active: tuple[tuple[MiningField, Field], ...]
    answers: tuple[Field, ...]
    rowwise: Rowwise | None = None
    description: bytes = b""

    @property
    def inputs(self) -> tuple[base.Field, ...]:
        """The active fields of the outermost model; a missing value is the model's business."""
        return tuple(
            base.Field(
                mining.name,
                field_type(known.data_type),
                optional=mining.missing_value_treatment != "returnInvalid",
            )
            for mining, known in self.active
        )

    @property
    def outputs(self) -> tuple[base.Field, ...]:
        """The target, then the outputs, then what the segments of a chain answer."""
        return tuple(base.Field(f.name, field_type(f.data_type)) for f in self.answers)

    def score(self, columns: Columns) -> Scores:
        """Score all rows at once; a row without a prediction has missing values.

        Raises InvalidRecord when columns are of different lengths, or of more than one dimension,
        or when one is absent that must not be.
        """
        if self.rowwise is not None:
            scores = self.rowwise.score(columns)
            if scores is not None:
                return scores
        batch = Batch(columns, self._rows(columns))
        with np.errstate(all="ignore"):  # what arithmetic leaves undefined is missing
            for _, known in self.active:
                batch.read(known.cell)
            found = {known.name: batch.read(known.cell) for known in self.answers}
        rejected = np.zeros(batch.rows, dtype=np.bool_)
        rejected[list(batch.errors)] = True
        if batch.errors:
            found = {name: without(column, rejected) for name, column in found.items()}
        answers = {f.name: public(found[f.name], f.data_type) for f in self.answers}
        return Scores(answers, dict(sorted(batch.errors.items())))

    def score_rows(self, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]] | None:
        """Answer a few records without columns; None: score them by columns."""
        return None if self.rowwise is None else self.rowwise.score_rows(rows)

    def describe(self) -> base.Description:
        """Tell what the document is. Raises InvalidModel where its lowered form does not say."""
        return decode_description(self.description)

    def close(self) -> None:
        """Release nothing: the memory goes with the last reference."""

    def _rows(self, columns: Columns) -> int:
        """Return the number of rows, once the columns are known to fit."""
        lengths = {}
        for mining, _ in self.active:
            column = columns.get(mining.name)
            if column is not None and column.ndim != 1:
                raise InvalidRecord(f"column {mining.name!r} is of shape {column.shape}, not (n,)")
            if column is not None:
                lengths[mining.name] = len(column)
            elif mining.missing_value_treatment == "returnInvalid":
                raise InvalidRecord(f"column {mining.name!r} is absent and must not be missing")
        if len(set(lengths.values())) > 1:
            raise InvalidRecord(f"columns are of different lengths: {lengths}")
        return next(iter(lengths.values()), len(next(iter(columns.values()), ())))


def compile_document(document: Document) -> tuple[Document, PmmlModel]:
    """Return a document as it is lowered, and its model ready to run.

    Raises InvalidModel or UnsupportedModel, naming what is wrong with it.
    """
    if len(document.models) != 1:
        raise UnsupportedModel(
            f"a PMML document with {len(document.models)} models is not evaluated; make it one, "
            f"of {', '.join(sorted(map(tag_of, MODELS)))}, or join them in a MiningModel"
        )
    element = document.models[0]
    context = Context(version=document.version)
    for data in document.data_dictionary.fields:
        if data.name in context.data:
            raise InvalidModel(f"field {data.name!r} is declared twice in the DataDictionary")
        context.data[data.name] = data
    scope = Scope(context)
    active = _inputs(element.mining_schema.fields, scope)
    dictionary = document.transformation_dictionary
    inner = Scope(context, scope)
    if dictionary is not None:
        context.functions.update((f.name, f) for f in dictionary.functions)
        declare_derived(dictionary.fields, inner)
    compiled = compile_outermost(element, inner)
    answers = {field.name: field for field in (*compiled.targets, *compiled.finals)}
    reads = [(mining.name, known) for mining, known in active]
    rowwise = plan_rows(reads, tuple(answers.values()))
    return _lowered(document, compiled), PmmlModel(active, tuple(answers.values()), rowwise)


def _lowered(document: Document, compiled: CompiledModel) -> Document:
    """Return the document with its model as it is lowered."""
    return Document(
        version=document.version,
        data_dictionary=document.data_dictionary,
        transformation_dictionary=document.transformation_dictionary,
        models=(msgspec.structs.replace(compiled.element, verification=None),),
    )


def _inputs(schema: tuple[MiningField, ...], scope: Scope) -> tuple[tuple[MiningField, Field], ...]:
    """Put the fields of the records into the scope; return the active ones.

    Fields of other uses can be referred to, but a record need not have them.
    """
    active, others = [], []
    if len(schema) > limits.FIELDS_MAX:
        raise UnsupportedModel(f"{len(schema)} fields; {limits.FIELDS_MAX} are allowed")
    ((name, times),) = Counter(mining.name for mining in schema).most_common(1) or [("", 0)]
    if times > 1:
        raise InvalidModel(f"field {name!r} is listed twice in the MiningSchema; list it once")
    for mining in schema:
        data = scope.context.data.get(mining.name)
        if data is None:
            continue  # a derived field may be listed, too
        if mining.usage_type in TARGET_USES:
            plain = MiningField(name=mining.name, invalid_value_treatment="asMissing")
            others.append((plain, input_field(scope.context, data, plain)))
            continue
        known = input_field(scope.context, data, mining)
        scope.add(known)
        if mining.usage_type == "active":
            active.append((mining, known))
    # A model that reads nothing takes its target, so that a batch for it has rows at all.
    return tuple(active or others[:1])
