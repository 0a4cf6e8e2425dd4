"""The notation of policies, the same in Python, in flow.toml and in a plan on the log.

`FirstWithin(20, prefer=[Majority(["m1", "m2", "m3"]), "fast"])` is read as a tree of known names and
literals; nothing is executed.
"""

import ast
import json
from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any

from modelstream.core.policies.average import Average, Median
from modelstream.core.policies.base import Policy
from modelstream.core.policies.best import Best
from modelstream.core.policies.first_within import FirstWithin
from modelstream.core.policies.hedge import Hedge
from modelstream.core.policies.majority import Majority
from modelstream.core.policies.shadow import Shadow
from modelstream.core.policies.single import Constant, Latest, Model
from modelstream.core.policies.split import Split
from modelstream.core.policies.when import When
from modelstream.errors import InvalidFlow
from modelstream.limits import POLICY_TEXT_CHARS_MAX

_KNOWN: Mapping[str, Any] = {
    each.__name__: each
    for each in (
        Latest,
        Model,
        Constant,
        FirstWithin,
        Majority,
        Average,
        Median,
        Best,
        Hedge,
        Split,
        Shadow,
        When,
    )
}


def policy_text(policy: Policy) -> str:
    """Write a policy; equal policies give equal text."""
    return _written(policy)


def parse_policy(text: str) -> Policy:
    """Read a policy; "latest" is short for Latest(). Raises InvalidFlow with what to write."""
    if len(text) > POLICY_TEXT_CHARS_MAX:
        raise InvalidFlow(f"answer has at most {POLICY_TEXT_CHARS_MAX} characters")
    if text == "latest":
        return Latest()
    try:
        read = _read(ast.parse(text.strip(), mode="eval").body)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise InvalidFlow(
            f"answer {text!r} cannot be read ({error}); write a policy, such as Latest() or "
            f'FirstWithin(20, prefer=["smart", "fast"])'
        ) from None
    if type(read) not in _KNOWN.values():
        raise InvalidFlow(f"answer {text!r} is no policy; use one of {', '.join(_KNOWN)}")
    policy: Policy = read
    return policy


def _read(node: ast.expr) -> Any:
    if isinstance(node, ast.List | ast.Tuple):
        return [_read(each) for each in node.elts]
    if isinstance(node, ast.Dict) and all(key is not None for key in node.keys):
        return {_key(key): _read(value) for key, value in zip(node.keys, node.values, strict=True)}
    if isinstance(node, ast.Name):
        raise ValueError(f"{node.id!r} stands alone; put a model's name in quotes")  # noqa: TRY004
    if not isinstance(node, ast.Call):
        return ast.literal_eval(node)
    name = node.func.id if isinstance(node.func, ast.Name) else ""
    if name not in _KNOWN:
        raise InvalidFlow(f"answer names {name or 'something'!r}; use one of {', '.join(_KNOWN)}")
    if any(each.arg is None for each in node.keywords):
        raise ValueError("** is not known here")
    given = {str(each.arg): _read(each.value) for each in node.keywords}
    try:
        return _KNOWN[name](*map(_read, node.args), **given)
    except TypeError as error:
        raise InvalidFlow(f"answer: {str(error).replace('.__init__()', '')}") from None


def _key(node: ast.expr | None) -> Any:
    assert node is not None, "the caller has looked"
    key = _read(node)
    if isinstance(key, list | dict):
        raise ValueError("a key is a name or a policy")  # noqa: TRY004 - told as all that cannot be read
    return key


def _written(value: Any) -> str:
    if isinstance(value, Model):
        return f"Model({_literal(value.name)})"
    if type(value) not in _KNOWN.values():
        return _literal(value)
    parts = []
    for index, each in enumerate(fields(value)):
        content = getattr(value, each.name)
        if each.default is not MISSING and content == each.default:
            continue
        told = _part(value, each.name, content)
        parts.append(told if index == 0 else f"{each.name}={told}")
    return f"{type(value).__name__}({', '.join(parts)})"


def _part(policy: Any, name: str, content: Any) -> str:
    """Write one argument: members that are models by their names, shares as a mapping."""
    if isinstance(policy, Split) and name == "arms":
        return "{" + ", ".join(f"{_member(arm)}: {_literal(s)}" for arm, s in content) + "}"
    if isinstance(policy, Constant):
        return _literal(content)
    if isinstance(content, tuple):
        return "[" + ", ".join(map(_member, content)) + "]"
    return _member(content)


def _member(value: Any) -> str:
    return _literal(value.name) if isinstance(value, Model) else _written(value)


def _literal(value: Any) -> str:
    """Write text as JSON has it, which is Python too, and numbers at their shortest."""
    if isinstance(value, str):
        return json.dumps(value)
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return repr(value)
