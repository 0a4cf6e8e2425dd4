"""The element types of TextModel (DMG 4.4, Text Models)."""

from typing import Literal

import msgspec

from modelstream.formats.pmml.elements.base import Element
from modelstream.formats.pmml.elements.matrices import Matrix
from modelstream.formats.pmml.elements.model import Model
from modelstream.formats.pmml.elements.predicates import Array


class TextDictionary(Element, kw_only=True, frozen=True):
    """The terms, in the order of the matrix's columns."""

    array: Array = msgspec.field(name="Array")


class TextDocument(Element, kw_only=True, frozen=True):
    """One document of the corpus; where it was found is documentation."""

    id: str
    name: str | None = None
    length: int | None = None
    file: str | None = None


class TextCorpus(Element, kw_only=True, frozen=True):
    """The documents, in the order of the matrix's rows."""

    documents: tuple[TextDocument, ...] = msgspec.field(name="TextDocument", default=())


class DocumentTermMatrix(Element, kw_only=True, frozen=True):
    """How often each document (rows) has each term (columns)."""

    matrix: Matrix = msgspec.field(name="Matrix")


class TextModelNormalization(Element, kw_only=True, frozen=True):
    """How frequencies are made weights."""

    local_term_weights: Literal[
        "termFrequency", "binary", "logarithmic", "augmentedNormalizedTermFrequency"
    ] = "termFrequency"
    global_term_weights: Literal[
        "inverseDocumentFrequency", "none", "GFIDF", "normal", "probabilisticInverse"
    ] = "inverseDocumentFrequency"
    document_normalization: Literal["none", "cosine"] = "none"


# The standard spells it so.
class TextModelSimiliarity(Element, kw_only=True, frozen=True):
    """How two documents are compared."""

    similarity_type: Literal["euclidean", "cosine"]


class TextModel(Model, kw_only=True, frozen=True):
    """A corpus in which the document most like a record is sought."""

    function_name: Literal["classification", "clustering"]
    number_of_terms: int
    number_of_documents: int
    dictionary: TextDictionary = msgspec.field(name="TextDictionary")
    corpus: TextCorpus = msgspec.field(name="TextCorpus")
    matrix: DocumentTermMatrix = msgspec.field(name="DocumentTermMatrix")
    normalization: TextModelNormalization | None = msgspec.field(
        name="TextModelNormalization", default=None
    )
    similarity: TextModelSimiliarity = msgspec.field(name="TextModelSimiliarity")


PARTS: tuple[type[Element], ...] = (
    TextDictionary,
    TextDocument,
    TextCorpus,
    DocumentTermMatrix,
    TextModelNormalization,
    TextModelSimiliarity,
)
