"""How often terms occur in texts (DMG 4.4, Text models: TextIndex).

A text is split into words once a batch for all the terms that are looked up in it.
"""

import re
import string
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np

from modelstream.errors import InvalidModel, UnsupportedModel
from modelstream.formats import limits
from modelstream.formats.pmml.elements.base import DataType
from modelstream.formats.pmml.elements.expressions import TextIndex, TextIndexNormalization
from modelstream.formats.pmml.expressions.editdistance import edit_distance
from modelstream.formats.pmml.fields.batch import Batch, Cell
from modelstream.formats.pmml.fields.scope import Compiled, Context
from modelstream.formats.pmml.fields.values import is_text
from modelstream.formats.pmml.functions.patterns import Pattern, compile_pattern, replacement
from modelstream.messages import Column

_Words = tuple[str, ...]
_Counts = Counter[_Words]
_Split = Callable[[str], list[str]]


def compile_text_index(
    index: TextIndex, text: Compiled, term: Compiled, context: Context
) -> Compiled:
    """Return the weight of a constant term in a text. Raises UnsupportedModel for other terms."""
    if term.constant is None or not isinstance(term.constant[0], str):
        raise UnsupportedModel("TextIndex is evaluated for a constant term only")
    if not index.tokenize:
        raise UnsupportedModel("TextIndex with tokenize=false is not evaluated")
    if not is_text(text.data_type):
        raise InvalidModel(f"TextIndex: field {index.text_field!r} is not a string")
    split = _splitter(index)
    words = tuple(split(_fold(index, term.constant[0])))
    if not words:
        raise InvalidModel(f"TextIndex: the term {term.constant[0]!r:.80} has no words")
    cell = _counts_cell(index, text, len(words), context)
    weigh = _WEIGHTS[index.local_term_weights]
    hits = _hits(index, words)

    def evaluate(batch: Batch) -> Column:
        weights = [
            np.nan if counts is None else weigh(hits(counts), counts)
            for counts in batch.read(cell).tolist()
        ]
        return np.array(weights, dtype=np.float64)

    counted = index.local_term_weights in {"termFrequency", "binary"}
    data_type: DataType = "integer" if counted else "double"
    return Compiled(data_type, evaluate, text.depth + 1)


def _hits(index: TextIndex, term: _Words) -> Callable[[_Counts], int]:
    """Return what counts the runs of words that are the term, or near it if spelled otherwise."""
    most = index.max_levenshtein_distance
    if most == 0:
        return lambda counts: counts[term]
    if not 0 < most <= limits.PMML_EDIT_DISTANCE_MAX or index.normalizations:
        raise UnsupportedModel(
            f"TextIndex with maxLevenshteinDistance={most} is not evaluated; it is up to "
            f"{limits.PMML_EDIT_DISTANCE_MAX}, without a TextIndexNormalization"
        )

    def distance(words: _Words) -> int:
        total = 0
        for word, wanted in zip(words, term, strict=True):
            total += edit_distance(word, wanted, most - total)
            if total > most:
                break
        return total

    def count(counts: _Counts) -> int:
        near = [(distance(words), number) for words, number in counts.items()]
        found = [hit for hit in near if hit[0] <= most]
        if index.count_hits == "bestHits":
            best = min(found, default=(0, 0))[0]
            found = [hit for hit in found if hit[0] == best]
        return sum(number for _, number in found)

    return count


def _counts_cell(index: TextIndex, text: Compiled, length: int, context: Context) -> Cell[Column]:
    """Return the cell with the runs of `length` words of each text, shared by all such terms."""
    key = (
        None if text.cell is None else text.cell.number,
        index.is_case_sensitive,
        index.word_separator_character_re,
        index.word_re,
        index.normalizations,
        length,
    )
    if text.cell is not None and key in context.word_cells:
        return context.word_cells[key]
    split = _splitter(index)
    passes = [_normalizer(n, index) for n in index.normalizations]

    def count(value: str) -> _Counts:
        for normalize in passes:
            value = normalize(value)
        words = split(_fold(index, value))
        return Counter(zip(*(words[shift:] for shift in range(length)), strict=False))

    def compute(batch: Batch) -> Column:
        known: dict[Any, _Counts | None] = {None: None}
        results = np.full(batch.rows, None, dtype=object)
        for row, value in enumerate(text.evaluate(batch).tolist()):
            try:
                if value not in known:
                    known[value] = count(value)
                results[row] = known[value]
            except ValueError as error:
                batch.reject(row, str(error))
        return results

    cell = context.cells.make(compute)
    context.word_cells[key] = cell
    return cell


def _fold(index: TextIndex, text: str) -> str:
    return text if index.is_case_sensitive else text.lower()


def _splitter(index: TextIndex) -> _Split:
    """Return what splits a text into words."""
    if index.word_re is not None:
        words = compile_pattern(index.word_re)
        return lambda text: words.compiled.findall(_bounded(words, text))
    separator = compile_pattern(index.word_separator_character_re)

    def split(text: str) -> list[str]:
        parts = separator.compiled.split(_bounded(separator, text))
        trimmed = (part.strip(string.punctuation) for part in parts)
        return [word for word in trimmed if word]

    if separator.compiled.groups:
        raise UnsupportedModel("a word separator with groups is not evaluated")
    return split


def _normalizer(normalization: TextIndexNormalization, index: TextIndex) -> Callable[[str], str]:
    """Return what makes the replacements of one table in a text."""
    separator = normalization.word_separator_character_re
    alike = separator in {None, index.word_separator_character_re}
    alike = alike and normalization.word_re in {None, index.word_re}
    if normalization.max_levenshtein_distance or normalization.tokenize is False or not alike:
        raise UnsupportedModel(
            "TextIndexNormalization with maxLevenshteinDistance, tokenize=false, or another "
            "wordSeparatorCharacterRE or x-wordRE than its TextIndex is not evaluated"
        )
    sensitive = normalization.is_case_sensitive
    if sensitive is None:
        sensitive = index.is_case_sensitive
    rules = [_rule(dict(row.cells), normalization, sensitive) for row in normalization.table.rows]
    turns = limits.PMML_NORMALIZATION_PASSES_MAX if normalization.recursive else 1

    def normalize(text: str) -> str:
        for _ in range(turns):
            before = text
            for pattern, stem in rules:
                text = pattern.compiled.sub(stem, _bounded(pattern, text))
            if text == before:
                break
        return text

    return normalize


def _rule(
    cells: dict[str, str], normalization: TextIndexNormalization, sensitive: bool
) -> tuple[Pattern, str]:
    source = cells.get(normalization.in_field)
    if source is None:
        raise InvalidModel(f"TextIndexNormalization: a row has no {normalization.in_field}")
    stem = cells.get(normalization.out_field, "")
    if cells.get(normalization.regex_field, "false") != "true":
        source, stem = re.escape(source), stem.replace("$", "")
    pattern = compile_pattern(source)
    if not sensitive:
        compiled = re.compile(source, re.IGNORECASE)
        pattern = Pattern(compiled, pattern.chars)
    return pattern, replacement(stem)


def _bounded(pattern: Pattern, text: str) -> str:
    if len(text) > pattern.chars:
        raise ValueError(
            f"a text of {len(text)} characters is too long for its regular expression, "
            f"which is safe up to {pattern.chars}"
        )
    return text


_WEIGHTS: dict[str, Callable[[int, _Counts], float]] = {
    "termFrequency": lambda count, _: float(count),
    "binary": lambda count, _: float(count > 0),
    "logarithmic": lambda count, _: float(np.log10(1.0 + count)),
    "augmentedNormalizedTermFrequency": lambda count, counts: (
        0.5 * ((count > 0) + count / max(counts.values(), default=1))
    ),
}
