"""Regular expressions: which are safe, on how long a text, and that none can hang."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelstream.errors import InvalidModel, UnsupportedModel
from modelstream.formats import limits
from modelstream.formats.pmml.functions.patterns import compile_pattern, replacement
from tests.support.pmml import evaluate, load, output_of, plain

STRING = '<DataField name="s" optype="categorical" dataType="string"/>'


@pytest.mark.parametrize(
    "source",
    [
        "^(a+)+$",
        "(a*)*b",
        "(a|aa)+$",
        "(.*a){12}",
        r"(a)\1+",
        "(?=a+)a",
        "(?<!a)b",
        "(?P<n>a)(?P=n)",
        "a*" * 30 + "b",
        "(a?)" * 60 + "b",
        "(a|a)" * 60,
        "a{0,60000}" * 4,
        "x" * (limits.PMML_PATTERN_CHARS_MAX + 1),
        "(?i)a",
    ],
)
def test_a_pattern_that_could_hang_is_refused_by_name(source: str) -> None:
    with pytest.raises(UnsupportedModel, match="regular expression"):
        compile_pattern(source)


@pytest.mark.parametrize("source", ["a)", "(a", "[b-a]", "a{2,1}"])
def test_a_pattern_that_is_none_is_refused(source: str) -> None:
    with pytest.raises((InvalidModel, UnsupportedModel), match="regular expression"):
        compile_pattern(source)


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("[aeiou]", "hello"),
        (r"\s+", "a b"),
        (r"(?u)\b\w\w+\b", "see it"),
        (r"^\d{1,3}(\.\d+)?$", "12.5"),
        ("colou?r", "color"),
        ("(?:cat|dog)s", "dogs"),
        ("a.*?z", "a-z"),
        (r"[^]x]\]", "a]"),
    ],
)
def test_ordinary_patterns_match(source: str, text: str) -> None:
    pattern = compile_pattern(source)
    assert pattern.compiled.search(text) is not None
    assert pattern.chars >= limits.PMML_PATTERN_TEXT_CHARS_MIN


def test_the_last_repeat_is_free_and_others_shorten_the_text() -> None:
    free = compile_pattern("a+").chars
    assert free == compile_pattern("(ba+)").chars == limits.PMML_STRING_CHARS_MAX
    one, two = compile_pattern("a+b").chars, compile_pattern("a+b+c").chars
    assert free > one > two
    assert one == int(limits.PMML_PATTERN_STEPS_MAX**0.5)


def test_a_text_that_is_too_long_for_its_pattern_rejects_its_row() -> None:
    expression = '<Apply function="matches"><FieldRef field="s"/><Constant>a+b+c</Constant></Apply>'
    found = evaluate(expression, STRING, s=["a" * 10_000, "xabc"])
    assert "too long for its regular expression" in found.errors[0]
    assert plain(found["out"]) == [None, True]


def test_a_pattern_must_be_constant() -> None:
    expression = '<Apply function="matches"><FieldRef field="s"/><FieldRef field="s"/></Apply>'
    with pytest.raises(UnsupportedModel, match="constant regular expression"):
        load(output_of(expression, STRING, names=("s",)))


def test_a_replacement_of_a_group_that_is_not_there_is_refused() -> None:
    expression = (
        '<Apply function="replace"><FieldRef field="s"/><Constant>a</Constant>'
        "<Constant>$1</Constant></Apply>"
    )
    with pytest.raises(InvalidModel, match="replacement"):
        load(output_of(expression, STRING, names=("s",)))


def test_a_replacement_is_taken_at_its_word() -> None:
    assert replacement(r"\n$1\d") == r"\\n\g<1>\\d"


@given(st.text(alphabet="ab(|)*+?{}[],1^$.\\", max_size=12))
def test_any_text_is_a_safe_pattern_or_refused(source: str) -> None:
    with suppress(InvalidModel):
        pattern = compile_pattern(source)
        assert pattern.chars >= limits.PMML_PATTERN_TEXT_CHARS_MIN
        pattern.compiled.search("ab" * (pattern.chars // 200))
