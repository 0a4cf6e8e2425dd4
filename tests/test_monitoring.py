"""The `[monitor]` table of a flow.toml."""

import pytest

from modelstream.errors import InvalidFlow
from modelstream.flow import flow_of_plain, parse_flow, plain_flow
from modelstream.monitoring import Monitoring

TOML = """
name = "wine"
[monitor]
every_s = 5
drift = true
"""


def test_it_is_read_and_reaches_the_workers() -> None:
    flow = parse_flow(TOML)
    assert flow.monitor == Monitoring(every_s=5, drift=True)
    assert flow_of_plain(plain_flow(flow)) == flow


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("evry_s = 5", "unknown key monitor.evry_s; did you mean 'every_s'?"),
        ("every_s = 0", "monitor.every_s is 0; it is a number above 0"),
        ("psi = true", "monitor.psi is True"),
        ("drift = 1", "monitor.drift is 1; it is true or false"),
        ("profile_records = 10", "monitor.profile_records is 10; use 500 to"),
    ],
)
def test_what_cannot_be_is_told_with_its_line(line: str, told: str) -> None:
    with pytest.raises(InvalidFlow, match=r"flow.toml:2: ") as refused:
        parse_flow(f'name = "wine"\n[monitor]\n{line}\n')
    assert told in str(refused.value)
