import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelstream.errors import InvalidModel
from modelstream.formats import limits
from modelstream.formats.pipeline.grammar import Call, Constant, Load, parse_expression


def postfix(text: str) -> str:
    """Write a program as a word an instruction."""
    words = []
    for each in parse_expression(text):
        match each:
            case Constant(value):
                words.append(f"{value:g}")
            case Load(column):
                words.append(column)
            case Call(operator, count):
                words.append(f"{operator}/{count}")
    return " ".join(words)


@pytest.mark.parametrize(
    ("text", "program"),
    [
        ("1 + 2 * x", "1 2 x */2 +/2"),
        ("a - b - c", "a b -/2 c -/2"),
        ("a / b % c", "a b //2 c %/2"),
        ("(a - b) * c", "a b -/2 c */2"),
        ("-x ** 2", "x 2 **/2 negative/1"),
        ("x ** -y ** 2", "x y 2 **/2 negative/1 **/2"),
        ("a < b + 1 and not c == 2 or d", "a b 1 +/2 </2 c 2 ==/2 not/1 and/2 d or/2"),
        ("a or b and c", "a b c and/2 or/2"),
        ("if(isnan(x), 0, min(x, y.z, 3))", "x isnan/1 0 x y.z 3 min/3 if/3"),
        ("`probability(yes)` * 2", "probability(yes) 2 */2"),
        ("min + `and`", "min and +/2"),
        (".5e2-1.e-1", "50 0.1 -/2"),
        ("größe", "größe"),
    ],
)
def test_an_expression_is_read_as_it_is_written_elsewhere(text: str, program: str) -> None:
    assert postfix(text) == program


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "a value is needed, not the end"),
        ("a +", "a value is needed, not the end"),
        ("a b", "character 3: an operator or the end is needed, not 'b'"),
        ("(a", r"'\)' is needed, not the end"),
        ("a)", r"an operator or the end is needed, not '\)'"),
        ("and", "a value is needed, not 'and'"),
        ("a < b < c", "'and' between two comparisons is needed, not '<'"),
        ("a = b", "nothing is meant by '='"),
        ("a $ b", "nothing is meant by"),
        ("'text'", "nothing is meant by"),
        ("``", "nothing is meant by"),
        ("`open", "nothing is meant by"),
        ("system(1)", "one of the functions abs, .* is needed, not 'system'"),
        ("__import__(1)", "one of the functions"),
        ("abs(1, 2)", "abs takes 1 values, 2 are given"),
        ("if(1, 2)", "if takes 3 values, 2 are given"),
        ("abs()", r"a value is needed, not '\)'"),
        ("max(" + "1," * 100 + "1)", "max takes 1 to 100 values, 101 are given"),
        ("1e999", "a number that is too large"),
        ("x.y[0]", r"nothing is meant by '\['"),
    ],
)
def test_what_is_no_expression_is_told_with_its_place(text: str, reason: str) -> None:
    with pytest.raises(InvalidModel, match=reason):
        parse_expression(text)


@pytest.mark.parametrize("nested", ["({})", "-{}", "not {}", "2 ** {}", "abs({})"])
def test_depth_is_limited(nested: str) -> None:
    def text(depth: int) -> str:
        made = "x"
        for _ in range(depth):
            made = nested.format(made)
        return made

    assert parse_expression(text(limits.EXPRESSION_DEPTH_MAX))
    with pytest.raises(InvalidModel, match="nested more than 30 deep"):
        parse_expression(text(limits.EXPRESSION_DEPTH_MAX + 1))


def test_length_is_limited_and_a_long_chain_is_not_deep() -> None:
    longest = "x" + "+x" * ((limits.EXPRESSION_CHARS_MAX - 1) // 2)
    assert len(parse_expression(longest)) == len(longest)
    with pytest.raises(InvalidModel, match="an expression of 2001 characters; 2000 are allowed"):
        parse_expression("x" * 2001)


@settings(deadline=None)
@given(st.text(alphabet="ab1.e+-*/%<>=!()`, andornotifminx_é\n", max_size=60))
def test_any_text_is_an_expression_or_an_invalid_model(text: str) -> None:
    try:
        program = parse_expression(text)
    except InvalidModel:
        return
    depth = 0
    for each in program:
        depth += 1 - each.count if isinstance(each, Call) else 1
        assert depth > 0
    assert depth == 1
