"""The table [remote] of a flow: the servers that models may be asked at."""

import pytest

from modelstream.errors import InvalidFlow
from modelstream.flow import Flow, flow_of_plain, parse_flow, plain_flow
from modelstream.formats.base import Remote
from modelstream.limits import REMOTE_HOSTS_MAX, REMOTE_TIMEOUT_MS, REMOTE_TIMEOUT_MS_MAX

HEAD = 'name = "wine"\n'


def test_without_the_table_no_server_may_be_asked() -> None:
    assert parse_flow(HEAD).remote == Remote((), REMOTE_TIMEOUT_MS)


def test_the_table_names_hosts_and_the_time_limit() -> None:
    flow = parse_flow(HEAD + '[remote]\nhosts = ["models:8080", "[::1]:81"]\ntimeout_ms = 500\n')
    assert flow.remote == Remote(("models:8080", "[::1]:81"), 500)
    assert flow_of_plain(plain_flow(flow)) == flow


@pytest.mark.parametrize(
    ("table", "why"),
    [
        ('hosts = "models:8080"', "must be a table of hosts"),
        ("timeout_ms = 1.5", "must be a table of hosts"),
        ("timeout = 1", "must be a table of hosts"),
        ('hosts = ["models"]', "'models'; each is a name or address and a port"),
        ('hosts = ["http://models:8080"]', "each is a name or address and a port"),
        ("timeout_ms = 0", f"use 1 to {REMOTE_TIMEOUT_MS_MAX}"),
        ("timeout_ms = 60000", f"use 1 to {REMOTE_TIMEOUT_MS_MAX}"),
    ],
)
def test_a_table_that_cannot_work_is_refused_with_its_line(table: str, why: str) -> None:
    with pytest.raises(InvalidFlow, match=why) as caught:
        parse_flow(f"{HEAD}\n[remote]\n{table}\n")
    assert str(caught.value).startswith("flow.toml")


def test_servers_are_few() -> None:
    with pytest.raises(InvalidFlow, match=f"at most {REMOTE_HOSTS_MAX}"):
        Flow(name="wine", remote=Remote(tuple(f"m{at}:1" for at in range(REMOTE_HOSTS_MAX + 1))))
