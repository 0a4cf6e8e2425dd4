"""What each key of a flow.toml may hold, as far as its type goes."""

import difflib
from collections.abc import Iterable

from modelstream.errors import InvalidFlow


def check_type(what: str, value: object, key: str) -> None:
    """Check a TOML value against what the key holds."""
    if key == "records":
        ok = isinstance(value, str) or (
            isinstance(value, dict) and all(isinstance(each, str) for each in value.values())
        )
        wanted = "a topic, or a table of topics and data types"
    elif key in {"partitions", "batch_records"}:
        ok, wanted = type(value) is int, "a whole number"
    elif key in {"echo", "rehearse"}:
        ok, wanted = isinstance(value, bool), "true or false"
    elif key in {"kafka", "flink"}:
        ok = isinstance(value, dict) and all(
            isinstance(each, str | int | float | bool) for each in value.values()
        )
        wanted = f"a table of options by their own names, such as [{key}] and 'a.b' = \"c\""
    elif key == "remote":
        ok, wanted = (
            _is_remote(value),
            "a table of hosts, a list of texts, and timeout_ms, a number",
        )
    elif key == "functions":
        ok = isinstance(value, dict) and all(isinstance(each, str) for each in value.values())
        wanted = 'a table of functions, such as [functions] and ratio = "features:ratio"'
    elif key in {"schemas", "bind", "monitor"}:
        ok, wanted = isinstance(value, dict), "a table"
    elif key == "locations":
        ok = isinstance(value, list) and all(isinstance(each, str) for each in value)
        wanted = "a list of prefixes"
    else:
        ok, wanted = isinstance(value, str), "text in quotes"
    if not ok:
        raise InvalidFlow(f"{what} is {value!r}; it must be {wanted}")


def _is_remote(value: object) -> bool:
    """Check the table of servers: `Remote` as TOML has it."""
    if not isinstance(value, dict) or value.keys() - {"hosts", "timeout_ms"}:
        return False
    hosts, timeout_ms = value.get("hosts", []), value.get("timeout_ms", 1)
    of_texts = isinstance(hosts, list) and all(isinstance(each, str) for each in hosts)
    return of_texts and type(timeout_ms) is int


def nearest(key: str, known: Iterable[str]) -> str:
    """Return a hint at the key that may be meant."""
    near = difflib.get_close_matches(key, list(known), n=1)
    return f"; did you mean {near[0]!r}?" if near else f"; the keys are {', '.join(known)}"
