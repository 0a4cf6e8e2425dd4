"""The notation of policies: what is read, and what is refused with a word on what to write."""

import pytest

from modelstream.core.policies.first_within import FirstWithin
from modelstream.core.policies.majority import Majority
from modelstream.core.policies.single import Latest, Model
from modelstream.core.policies.text import parse_policy, policy_text
from modelstream.errors import InvalidFlow

pytestmark = pytest.mark.speculation


def test_the_readmes_policy_is_what_it_says() -> None:
    text = 'FirstWithin(20, prefer=[Majority(["m1", "m2", "m3"]), "fast"])'
    vote = Majority((Model("m1"), Model("m2"), Model("m3")))
    assert parse_policy(text) == FirstWithin(20, (vote, Model("fast")))
    assert policy_text(parse_policy(text)) == text


def test_latest_may_be_written_in_lower_case() -> None:
    assert parse_policy("latest") == Latest()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("fast", "put a model's name in quotes"),
        ("__import__('os').system('true')", "use one of"),
        ("FirstWithin(20, prefer=[open('x')])", "names 'open'"),
        ("[x for x in (1,)]", "cannot be read"),
        ("FirstWithin(20)", "prefer"),
        ("FirstWithin(0, prefer=['a'])", "above 0"),
        ("FirstWithin(20, prefer='a')", "list of models' names"),
        ("FirstWithin(20, prefer=[])", "at least 1"),
        ("Majority(['a', 'b'], quorum=3)", "use 1 to 2"),
        ("Majority(['a', 'b'], tie='last')", "'first' or 'reject'"),
        ("Average(['a', 'b'], weights=[1])", "one a member"),
        ("Best(['a'], by='luck')", "'confidence'"),
        ("Best(['a'], by='live:')", "use 'confidence'"),
        ("Best([Majority(['a', 'b'])], by='declared:auc')", "chooses among models"),
        ("When('x >', 'a', 'b')", "cannot be read"),
        ("When('x > y', 'a', 'b')", "cannot be read"),
        ("When('f(x) > 1', 'a', 'b')", "cannot be read"),
        ("Constant('[1]')", "name no output"),
        ("Constant({'a': {'b': 1}})", "more than text, numbers"),
        ("Model('')", "is no model"),
        ("Model('a@')", "is no model"),
        ("'fast'", "is no policy"),
        ("Latest(1)", "Latest"),
        ("(" * 5000, "cannot be read"),
        ("x" * 9000, "at most"),
        (f"Majority({[f'm{n}' for n in range(17)]})", "more than 16 candidates"),
        ("Hedge(" * 9 + "'a'" + ", 1, 'b')" * 9, "deep"),
    ],
)
def test_what_cannot_be_is_refused(text: str, told: str) -> None:
    with pytest.raises(InvalidFlow) as refused:
        parse_policy(text)
    assert told in str(refused.value)
