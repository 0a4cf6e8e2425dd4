"""What the terms of a document weigh, from how often they occur.

DMG 4.4, Text Models: TextModelNormalization. The weight of a term in a document is its local
weight there, times its global weight in the corpus, times the normalization of the document.
Tables have a term a row and a document a column. Logarithms are to base 10, as those of TextIndex.
"""

from collections.abc import Callable

import numpy as np

from modelstream.errors import InvalidModel
from modelstream.formats.arithmetic import sum_in_order
from modelstream.formats.pmml.elements.textmodels import TextModelNormalization
from modelstream.messages import Column

_Weigh = Callable[[Column], Column]


def compile_weights(
    normalization: TextModelNormalization | None, corpus: Column, terms: list[str]
) -> _Weigh:
    """Return what makes weights of the frequencies of documents; without rules it is nothing.

    A document in which no term weighs anything is NaN where it is normalized. Raises InvalidModel
    when a term has no global weight.
    """
    if normalization is None:
        return np.asarray
    local = _LOCAL[normalization.local_term_weights]
    kind = normalization.global_term_weights
    with np.errstate(all="ignore"):
        weights = _GLOBAL[kind](corpus)
    if not np.isfinite(weights).all():
        term = terms[int(np.argmin(np.isfinite(weights)))]
        raise InvalidModel(
            f"globalTermWeights={kind!r} is not defined for term {term!r}, which is in "
            f"{np.count_nonzero(corpus[terms.index(term)])} of {corpus.shape[1]} documents"
        )
    normalized = normalization.document_normalization == "cosine"

    def weigh(counts: Column) -> Column:
        weighted = weights[:, None] * local(counts)
        if normalized:
            with np.errstate(all="ignore"):
                weighted = weighted / np.sqrt(sum_in_order(np.square(weighted)))
        return weighted

    return weigh


def _present(counts: Column) -> Column:
    """Return one where a term occurs, NaN where that is not known."""
    return np.where(np.isnan(counts), np.nan, counts > 0.0)


def _augmented(counts: Column) -> Column:
    most = counts.max(axis=0)
    found: Column = 0.5 * (_present(counts) + counts / np.where(most == 0.0, 1.0, most))
    return found


_LOCAL: dict[str, _Weigh] = {
    "termFrequency": np.asarray,
    "binary": _present,
    "logarithmic": lambda counts: np.log10(1.0 + counts),
    "augmentedNormalizedTermFrequency": _augmented,
}


def _documents(corpus: Column) -> Column:
    """Return in how many documents each term occurs."""
    found: Column = np.count_nonzero(corpus, axis=1).astype(np.float64)
    return found


_GLOBAL: dict[str, _Weigh] = {
    "none": lambda corpus: np.ones(len(corpus)),
    "inverseDocumentFrequency": lambda corpus: np.log10(corpus.shape[1] / _documents(corpus)),
    "GFIDF": lambda corpus: corpus.sum(axis=1) / _documents(corpus),
    "normal": lambda corpus: 1.0 / np.sqrt(np.square(corpus).sum(axis=1)),
    "probabilisticInverse": lambda corpus: np.log10(
        (corpus.shape[1] - _documents(corpus)) / _documents(corpus)
    ),
}
