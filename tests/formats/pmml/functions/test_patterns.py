"""Regular expressions: which are safe, on how long a text, and that none can hang."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelstream.errors import InvalidModel, UnsupportedModel
from modelstream.formats import limits
from modelstream.formats.pmml.functions.charsets import follows
from modelstream.formats.pmml.functions.patterns import _TOKEN, compile_pattern, replacement
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
        ("(?i)dog", "DOG"),
    ],
)
def test_ordinary_patterns_match(source: str, text: str) -> None:
    pattern = compile_pattern(source)
    assert pattern.compiled.search(text) is not None
    assert pattern.chars >= limits.PMML_PATTERN_TEXT_CHARS_MIN


def test_the_last_repeat_is_free_and_others_shorten_the_text() -> None:
    free = compile_pattern("a+").chars
    assert free == compile_pattern("(ba+)").chars == limits.PMML_STRING_CHARS_MAX
    one, two = compile_pattern("a+ab").chars, compile_pattern("a+a+b").chars
    assert free > one > two
    assert one == int(limits.PMML_PATTERN_STEPS_MAX**0.5)


def test_repeats_that_can_end_in_one_way_only_count_for_one() -> None:
    two, three = compile_pattern("a+b").chars, compile_pattern("a+b*(c|d)").chars
    assert two == int((limits.PMML_PATTERN_STEPS_MAX / 2) ** 0.5)
    assert two > three > compile_pattern("a+b*[ac]").chars
    assert compile_pattern(r"(\w+)@(\w+)[.]com").chars > 1000


@pytest.mark.parametrize(
    ("source", "follow"),
    [
        ("a+(b|c)d", "bc"),
        ("a+(b|c)?d", "bcd"),
        ("a+b*c{0,2}d", "bcd"),
        ("a+b{1,2}d", "b"),
        ("(a+|x)(y|z)", "yz"),
        ("(a+b|c)d", "b"),
        (r"a+(\s|$)", " \t\n\r\x0b\x0c\x1c\x1d\x1e\x1f"),
        ("a+[^!-~]", "".join(map(chr, (*range(33), 127)))),
    ],
)
def test_what_can_follow_a_repeat_is_known(source: str, follow: str) -> None:
    tokens = [(str(t.lastgroup), t.group()) for t in _TOKEN.finditer(source)]
    found = follows(tokens)[next(at for at, (kind, _) in enumerate(tokens) if kind == "repeat")]
    lower = {chr(code).lower() for code in range(128) if found >> code & 1}
    assert lower == set(follow.lower())


@pytest.mark.parametrize("source", ["a+", "a+b?", "x(a+|b)", "a+(b|)", "(a+b*)c?"])
def test_where_the_rest_can_be_nothing_a_repeat_is_free(source: str) -> None:
    assert compile_pattern(source).chars == limits.PMML_STRING_CHARS_MAX


@pytest.mark.parametrize("source", [r"a+\b", "a+$b", "a+^"])
def test_an_assertion_can_fail_after_a_repeat(source: str) -> None:
    assert compile_pattern(source).chars < limits.PMML_STRING_CHARS_MAX


def test_a_long_list_of_words_to_leave_out_is_no_danger() -> None:
    words = "|".join(f"{one}{two}" for one in "abcdefghijklmnop" for two in ("", "x", "yy", "zzz"))
    source = rf"(^|\s+)\p{{Punct}}*({words})\p{{Punct}}*(\s+|$)"
    pattern = compile_pattern(source)
    assert pattern.chars > 2 * limits.PMML_PATTERN_TEXT_CHARS_MIN
    assert pattern.compiled.sub(" ", "hello, ayy! world") == "hello, world"


def test_words_that_match_at_one_place_multiply() -> None:
    with pytest.raises(UnsupportedModel, match="too many steps"):
        compile_pattern("(a|aa|A)" * 40)


@pytest.mark.parametrize(
    ("source", "matched"),
    [
        (r"\p{Punct}+", "!-^_~"),
        (r"[\p{Alpha}_]+", "aZ_"),
        (r"[^\p{Digit}]+", "a "),
        (r"\[\p{Upper}\]", "[A]"),
        (r"\\p", r"\p"),
    ],
)
def test_classes_that_java_has_names_for_are_spelled_out(source: str, matched: str) -> None:
    assert compile_pattern(source).compiled.fullmatch(matched)


def test_other_named_classes_are_refused_by_name() -> None:
    with pytest.raises(UnsupportedModel, match="IsGreek"):
        compile_pattern(r"\p{IsGreek}")


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


@pytest.mark.parametrize(
    ("source", "result"),
    [
        (r"\n$1\d", r"\n[b]\d"),
        (r"\1-$1", "[b]-[b]"),
        (r"\$1\\1", r"$1\1"),
        ("$", "$"),
        ("a\\", "a\\"),
    ],
)
def test_a_replacement_is_taken_at_its_word_but_for_groups(source: str, result: str) -> None:
    pattern = compile_pattern("a(b)")
    assert pattern.compiled.sub(replacement(source), "ab") == result.replace("[b]", "b")


@given(st.text(alphabet="ab(|)*+?{}[],1^$.\\", max_size=12))
def test_any_text_is_a_safe_pattern_or_refused(source: str) -> None:
    with suppress(InvalidModel):
        pattern = compile_pattern(source)
        assert pattern.chars >= limits.PMML_PATTERN_TEXT_CHARS_MIN
        pattern.compiled.search("ab" * (pattern.chars // 200))
