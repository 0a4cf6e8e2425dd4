from hypothesis import given
from hypothesis import strategies as st

from modelstream.limits import REASON_CHARS_MAX
from modelstream.models.refusal import Refused, listed, shortened


@given(st.text(max_size=50).map(lambda text: text * 100))
def test_a_reason_is_kept_up_to_its_limit(reason: str) -> None:
    short = shortened(reason)
    assert len(short) <= REASON_CHARS_MAX
    assert short == reason or (len(reason) > REASON_CHARS_MAX and reason.startswith(short[:-1]))


def test_a_refusal_carries_its_code_and_a_short_reason() -> None:
    refused = Refused("too_large", "x" * (REASON_CHARS_MAX + 1))
    assert refused.code == "too_large"
    assert refused.reason == "x" * (REASON_CHARS_MAX - 1) + "…"


def test_a_long_list_of_names_is_cut() -> None:
    assert listed([]) == "none"
    assert listed(["b", "a"]) == "'b', 'a'"
    assert listed([str(each) for each in range(10, 25)]).endswith("'19' and 5 more")
