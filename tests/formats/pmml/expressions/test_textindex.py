"""How often terms occur in texts."""

import math

import pytest

from modelstream.errors import InvalidModel, UnsupportedModel
from modelstream.formats import limits
from tests.support.pmml import evaluate, load, output_of, plain

FIELD = '<DataField name="t" optype="categorical" dataType="string"/>'


def index(term: str, attributes: str = "", inner: str = "") -> str:
    return (
        f'<TextIndex textField="t" {attributes}>{inner}'
        f'<Constant dataType="string">{term}</Constant></TextIndex>'
    )


TEXT = "The sun set. The Sun rose, and rose."


@pytest.mark.parametrize(
    ("attributes", "term", "answer"),
    [
        ("", "the", 2),
        ("", "rose", 2),
        ("", "moon", 0),
        ("", "the sun", 2),
        ("", "sun set the", 1),
        ('isCaseSensitive="true"', "sun", 1),
        ('isCaseSensitive="true"', "The", 2),
        ('localTermWeights="binary"', "the", 1.0),
        ('localTermWeights="logarithmic"', "the", math.log10(3)),
        ('localTermWeights="augmentedNormalizedTermFrequency"', "set", 0.75),
        (r'wordSeparatorCharacterRE="[e\s]+"', "th", 2),
        (r'x-wordRE="\w\w\w\w"', "rose", 2),
    ],
)
def test_terms_are_counted_as_declared(attributes: str, term: str, answer: float) -> None:
    found = evaluate(index(term, attributes), FIELD, t=[TEXT, None])
    assert plain(found["out"]) == [pytest.approx(answer), None]


def table(rows: str, attributes: str = "") -> str:
    return f"<TextIndexNormalization {attributes}><InlineTable>{rows}</InlineTable></TextIndexNormalization>"


def row(source: str, stem: str, regex: str = "false") -> str:
    return f"<row><string>{source}</string><stem>{stem}</stem><regex>{regex}</regex></row>"


def test_texts_are_normalized_before_terms_are_counted() -> None:
    plurals = table(row("suns", "sun") + row("r[io]ses?", "rise", "true"))
    found = evaluate(index("sun", inner=plurals), FIELD, t=["two suns and a sun"])
    assert plain(found["out"]) == [2]
    found = evaluate(index("rise", inner=plurals), FIELD, t=["it rises, rose"])
    assert plain(found["out"]) == [2]


def test_a_recursive_normalization_goes_on_until_nothing_changes() -> None:
    halved = row("aa", "a")
    once = evaluate(index("aa", inner=table(halved)), FIELD, t=["aaaa"])
    often = evaluate(index("a", inner=table(halved, 'recursive="true"')), FIELD, t=["aaaa"])
    assert plain(once["out"]) == plain(often["out"]) == [1]


def test_a_normalization_may_repeat_what_its_index_says() -> None:
    inner = table(row("suns", "sun"), r'tokenize="true" wordSeparatorCharacterRE="\s+"')
    assert plain(evaluate(index("sun", inner=inner), FIELD, t=["two suns"])["out"]) == [1]


def test_a_text_too_long_for_its_pattern_rejects_its_row() -> None:
    attributes = r'wordSeparatorCharacterRE="\s+,"'
    found = evaluate(index("a", attributes), FIELD, t=[" " * limits.PMML_STRING_CHARS_MAX, "a ,b"])
    assert "too long" in found.errors[0]
    assert plain(found["out"]) == [None, 1]


# The standard's example of spelling mistakes: sun, son and sunk.
SHIP = "The Sun was setting while the captain's son reached the island, after their ship had sunk."


@pytest.mark.parametrize(
    ("attributes", "term", "answer"),
    [
        ('maxLevenshteinDistance="0"', "sun", 1),
        ('maxLevenshteinDistance="1"', "sun", 3),
        ('maxLevenshteinDistance="1" countHits="bestHits"', "sun", 1),
        ('maxLevenshteinDistance="1" countHits="bestHits"', "sunn", 2),
        ('maxLevenshteinDistance="2" countHits="bestHits"', "zun", 1),
        ('maxLevenshteinDistance="1" isCaseSensitive="true"', "sun", 3),
        ('maxLevenshteinDistance="1" isCaseSensitive="true" countHits="bestHits"', "sun", 3),
        ('maxLevenshteinDistance="1" localTermWeights="binary"', "ships", 1),
        ('maxLevenshteinDistance="1" localTermWeights="logarithmic"', "sun", math.log10(4)),
        ('maxLevenshteinDistance="2"', "the san", 1),
        ('maxLevenshteinDistance="1"', "tha san", 0),
        ('maxLevenshteinDistance="2"', "tha san", 1),
        ('maxLevenshteinDistance="3"', "elephant", 0),
        ('maxLevenshteinDistance="3" countHits="bestHits"', "elephant", 0),
    ],
)
def test_words_may_differ_from_a_term_by_some_letters(
    attributes: str, term: str, answer: float
) -> None:
    found = evaluate(index(term, attributes), FIELD, t=[SHIP, "", None])
    assert plain(found["out"]) == [pytest.approx(answer), 0, None]


@pytest.mark.parametrize(
    "attributes",
    [
        'maxLevenshteinDistance="1"',
        'tokenize="false"',
        'wordSeparatorCharacterRE="x"',
        'x-wordRE="x"',
    ],
)
def test_a_normalization_by_words_is_refused(attributes: str) -> None:
    inner = table(row("suns", "sun"), attributes)
    with pytest.raises(UnsupportedModel, match="TextIndexNormalization"):
        load(output_of(index("sun", inner=inner), FIELD, names=("t",)))
    near = index("sun", 'maxLevenshteinDistance="1"', table(row("suns", "sun")))
    with pytest.raises(UnsupportedModel, match="without a TextIndexNormalization"):
        load(output_of(near, FIELD, names=("t",)))


@pytest.mark.parametrize(
    "attributes",
    ['maxLevenshteinDistance="9"', 'tokenize="false"', 'wordSeparatorCharacterRE="(a+)+"'],
)
def test_what_is_not_evaluated_is_refused(attributes: str) -> None:
    with pytest.raises(UnsupportedModel):
        load(output_of(index("a", attributes), FIELD, names=("t",)))


def test_a_term_must_be_constant_and_have_words() -> None:
    with pytest.raises(UnsupportedModel, match="constant term"):
        load(
            output_of(
                '<TextIndex textField="t"><FieldRef field="t"/></TextIndex>', FIELD, names=("t",)
            )
        )
    with pytest.raises(InvalidModel, match="no words"):
        load(output_of(index("..."), FIELD, names=("t",)))
