"""Compile TextModel: the document of the corpus that is most like a record.

DMG 4.4, Text Models. A record has the number of times that each term occurs in a field named after
the term; weights of terms are in termweights.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from modelstream.errors import InvalidModel, UnsupportedModel
from modelstream.formats import limits
from modelstream.formats.arithmetic import sum_in_order
from modelstream.formats.pmml.answers.prediction import Body, OwnFeature, Prediction
from modelstream.formats.pmml.elements.fields import DataField, OutputField
from modelstream.formats.pmml.elements.textmodels import TextModel
from modelstream.formats.pmml.fields.arrays import array_items
from modelstream.formats.pmml.fields.batch import Batch, Cell
from modelstream.formats.pmml.fields.dictionary import valid_values
from modelstream.formats.pmml.fields.scope import Compiled, Field, Scope
from modelstream.formats.pmml.fields.stacks import refuse_single_precision, stack_fields
from modelstream.formats.pmml.fields.values import is_text, texts
from modelstream.formats.pmml.models.matrices import matrix_table
from modelstream.formats.pmml.models.termweights import compile_weights
from modelstream.messages import Column


@dataclass(frozen=True, slots=True, eq=False)
class _Found:
    """How like each document a record is, and the documents from the most to the least like.

    Both have a document a row and a record a column; likeness is NaN where a record has none.
    """

    likeness: Column
    order: Column


def compile_text(model: TextModel, scope: Scope, data: DataField | None) -> Body:
    """Return a TextModel's rule; `data` is the target's declaration.

    Raises InvalidModel or UnsupportedModel, naming what is wrong with it.
    """
    refuse_single_precision(model)
    terms = array_items(model.dictionary.array)
    counts = _counts(model, terms)
    ids = tuple(document.id for document in model.corpus.documents)
    declared = set() if data is None else set(valid_values(data))
    if declared and not declared.issuperset(ids):
        raise UnsupportedModel(
            f"a TextModel answers with the id of a TextDocument, which is not a value of its "
            f"target: {min(set(ids) - declared)!r}"
        )
    weigh = compile_weights(model.normalization, counts, terms)
    compare, sign = _comparison(model, weigh(counts))
    make = scope.context.cells.make
    records = stack_fields([_field(term, scope) for term in terms], scope, "TextDictionary")

    def search(batch: Batch) -> _Found:
        frequencies = batch.read(records)
        likeness = compare(weigh(np.where(frequencies < 0.0, np.nan, frequencies)))
        return _Found(likeness, np.argsort(sign * likeness, axis=0, kind="stable"))

    found = make(search)

    def answer(batch: Batch) -> Prediction:
        sought = batch.read(found)
        absent = np.isnan(sought.likeness).any(axis=0)
        return Prediction(np.where(absent, np.nan, sought.order[0]))

    return Body(ids, make(answer), features=_features(model, ids, found), probable=False)


def _counts(model: TextModel, terms: list[str]) -> Column:
    """Return the frequencies: a term a row, a document a column."""
    documents = model.corpus.documents
    if len(documents) > limits.PMML_TEXT_DOCUMENTS_MAX:
        raise UnsupportedModel(
            f"a TextCorpus of {len(documents)} documents; at most "
            f"{limits.PMML_TEXT_DOCUMENTS_MAX} are searched"
        )
    if len({document.id for document in documents}) < len(documents):
        raise InvalidModel("two TextDocuments have the same id")
    table = matrix_table(model.matrix.matrix, "DocumentTermMatrix")
    shape = (model.number_of_documents, model.number_of_terms)
    if not (shape == table.shape == (len(documents), len(terms))) or not table.size:
        raise InvalidModel(
            f"a TextModel of {shape[0]} documents and {shape[1]} terms has {len(documents)} "
            f"TextDocuments, {len(terms)} terms and a DocumentTermMatrix of shape {table.shape}"
        )
    if not (np.isfinite(table).all() and (table >= 0.0).all()):
        raise InvalidModel("the DocumentTermMatrix holds something that is not a frequency")
    return table.T


def _field(term: str, scope: Scope) -> Field:
    """Return the field that holds how often a term occurs."""
    try:
        field = scope.find(term)
    except InvalidModel as error:
        raise UnsupportedModel(
            f"TextDictionary: the frequency of {term!r} is looked for in a field of that name "
            f"(a DerivedField of TextIndex can be one): {error}"
        ) from None
    if is_text(field.data_type):
        raise UnsupportedModel(
            f"TextDictionary: field {term!r} holds text, not how often the term occurs; make it a "
            "DerivedField of TextIndex"
        )
    return field


def _comparison(model: TextModel, corpus: Column) -> tuple[Callable[[Column], Column], float]:
    """Return what compares records with the corpus, and a factor that makes less of more alike."""
    if model.similarity.similarity_type == "euclidean":
        return lambda records: _distances(corpus, records), 1.0
    lengths = np.sqrt(np.square(corpus).sum(axis=0))
    if not (lengths > 0.0).all():
        empty = model.corpus.documents[int(np.argmin(lengths))].id
        raise InvalidModel(
            f"TextDocument {empty!r} has no term that weighs anything; there is no cosine with it"
        )
    directions = (corpus / lengths).T

    def cosines(records: Column) -> Column:
        found: Column = directions @ (records / np.sqrt(sum_in_order(np.square(records))))
        return found

    return cosines, -1.0


def _distances(corpus: Column, records: Column) -> Column:
    found = np.empty((corpus.shape[1], records.shape[1]))
    for row, document in zip(found, corpus.T, strict=True):
        row[:] = np.sqrt(sum_in_order(np.square(records - document[:, None])))
    return found


def _features(model: TextModel, ids: tuple[str, ...], found: Cell[_Found]) -> dict[str, OwnFeature]:
    """Return the outputs of a document's id, name and likeness: those of the one of a rank."""
    names = [document.name or document.id for document in model.corpus.documents]

    def of(written: list[str]) -> OwnFeature:
        padded = texts([*written, None])

        def build(output: OutputField) -> Compiled:
            rank = _rank(output, len(ids))

            def evaluate(batch: Batch) -> Column:
                sought = batch.read(found)
                absent = np.isnan(sought.likeness).any(axis=0)
                chosen: Column = padded[np.where(absent, len(ids), sought.order[rank])]
                return chosen

            return Compiled("string", evaluate)

        return build

    def affinity(output: OutputField) -> Compiled:
        rank = _rank(output, len(ids))
        if output.value is not None and output.value not in ids:
            raise InvalidModel(
                f"OutputField {output.name!r}: {output.value!r} is not a TextDocument"
            )
        row = None if output.value is None else ids.index(output.value)

        def evaluate(batch: Batch) -> Column:
            sought = batch.read(found)
            rows = sought.order[rank] if row is None else np.full(batch.rows, row)
            likeness: Column = sought.likeness[rows, np.arange(batch.rows)]
            return likeness

        return Compiled("double", evaluate)

    return {
        "entityId": of(list(ids)),
        "predictedDisplayValue": of(names),
        "affinity": affinity,
        "entityAffinity": affinity,
    }


def _rank(output: OutputField, documents: int) -> int:
    """Return which document an output is about, counted from zero."""
    rank = 1 if output.rank is None else output.rank
    if not 1 <= rank <= documents:
        raise UnsupportedModel(
            f"OutputField {output.name!r}: rank={rank} of {documents} documents is not evaluated"
        )
    return rank - 1
