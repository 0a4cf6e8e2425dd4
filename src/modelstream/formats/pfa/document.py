"""A PFA document: its header, its cells and functions, and what may be scored with it.

Records are scored in batches, again when they are replayed, and by several processes: a score may
therefore depend on its record alone. What `begin` computes is computed once, when a model is loaded.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from modelstream.errors import InvalidModel, UnsupportedModel
from modelstream.formats.pfa import types
from modelstream.formats.pfa.check import Checker
from modelstream.formats.pfa.code import Code, coerced
from modelstream.formats.pfa.faults import Fault, Run, Stopped
from modelstream.formats.pfa.forms import forms
from modelstream.formats.pfa.forms.functions import read_body, read_params
from modelstream.formats.pfa.functions import library
from modelstream.formats.pfa.schema import Schemas
from modelstream.formats.pfa.scope import Cell, Layout, Scope, Use, UserFunction
from modelstream.formats.pfa.types import Map, Type, accepts

_KEYS = frozenset(
    (
        "@", "name", "version", "doc", "metadata", "options", "method", "input", "output", "begin",
        "action", "end", "fcns", "cells", "pools", "zero", "merge", "randseed",
    )
)  # fmt: skip
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*")


@dataclass(frozen=True, slots=True)
class About:
    """What people may want to know of a document. `calls` are the library's functions in it."""

    name: str
    version: str
    doc: str
    method: str
    calls: tuple[str, ...]
    functions: int
    cells: dict[str, Cell]


@dataclass(frozen=True, slots=True)
class Engine:
    """A document ready to score: its input is in slot 1 of frames of `slots` entries."""

    input: Type
    output: Type
    action: Code
    slots: int
    emits: bool
    constants: tuple[tuple[int, Any], ...]
    about: About

    def frame(self, value: Any) -> list[Any]:
        """Return the frame to run one record with."""
        frame: list[Any] = [None] * self.slots
        frame[0], frame[1] = Run(), value
        for slot, constant in self.constants:
            frame[slot] = constant
        return frame


def compile_document(document: Any) -> Engine:
    """Check a document, run its `begin`, and return what scores. Raises InvalidModel."""
    if not isinstance(document, dict):
        raise InvalidModel("a PFA document is a JSON object")
    unknown = sorted(set(document) - _KEYS)
    lacking = [key for key in ("input", "output", "action") if key not in document]
    if unknown or lacking:
        raise InvalidModel(
            f"a PFA document has no {', '.join(map(repr, unknown))}"
            if unknown
            else f"the PFA document lacks {', '.join(map(repr, lacking))}"
        )
    if not isinstance(document.get("options", {}), dict):
        raise InvalidModel("options: an object is due")
    method = document.get("method", "map")
    if method == "fold":
        raise UnsupportedModel(
            "method 'fold' is not evaluated: its tally depends on all records before, and a score "
            "has to be the same when a record is replayed"
        )
    if method not in ("map", "emit"):
        raise InvalidModel(f"method: {method!r} is not one of 'map', 'emit', 'fold'")
    return _compile(document, emits=method == "emit")


def _compile(document: dict[str, Any], *, emits: bool) -> Engine:
    checker = Checker(Schemas(document), forms(), library())
    given = checker.type(document["input"], "input")
    made = checker.type(document["output"], "output")
    checker.emits = made if emits else None
    constants = _constants(document)
    _read_storage(checker, document)
    uses = _read_functions(checker, document)
    begin = _read_part(checker, document, "begin", constants)
    action = _read_action(checker, document["action"], given, constants)
    _check_writes(action.use, uses)
    _read_part(checker, document, "end", constants)
    mapped = _mapped(document, action.use, uses) if emits else None
    if mapped is not None:
        action, emits = _read_action(checker, mapped, given, constants), False
    code = action.code
    if not emits and not accepts(made, code.type):
        raise InvalidModel(f"action: it gives {code.type} where the output is {made}")
    if begin is not None:
        _run_begin(*begin)
    code = code if emits else coerced(code, made)
    about = _about(checker, document)
    return Engine(given, made, code, action.slots, emits, action.constants, about)


def _about(checker: Checker, document: dict[str, Any]) -> About:
    return About(
        name=str(document.get("name", "")),
        version=str(document.get("version", "")),
        doc=str(document.get("doc") or ""),
        method=str(document.get("method", "map")),
        calls=tuple(sorted(checker.called)),
        functions=len(checker.functions),
        cells={**checker.cells, **checker.pools},
    )


@dataclass(frozen=True, slots=True)
class _Action:
    """What is done with a record; the fields are those of `Engine`."""

    code: Code
    use: Use
    slots: int
    constants: tuple[tuple[int, Any], ...]


def _read_action(
    checker: Checker, node: Any, given: Type, constants: tuple[tuple[str, Type, Any], ...]
) -> _Action:
    checker.use = use = Use()
    layout = Layout()
    scope = Scope(layout)
    scope.declare("input", given)
    slots = _declare(scope, constants)
    code = checker.block(node, scope.sealed(), "action")
    return _Action(code, use, layout.size, slots)


def _constants(document: dict[str, Any]) -> tuple[tuple[str, Type, Any], ...]:
    """Return the symbols that have the same value for every record."""
    name = document.get("name", "Engine")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise InvalidModel(f"name: {name!r} is no name of an engine")
    metadata = document.get("metadata", {})
    if not isinstance(metadata, dict) or not all(
        isinstance(each, str) for key, each in metadata.items() if key != "@"
    ):
        raise InvalidModel("metadata: an object of strings is due")
    known: list[tuple[str, Type, Any]] = [
        ("name", types.STRING, name),
        ("instance", types.INT, 0),
        ("metadata", Map(types.STRING), {k: v for k, v in metadata.items() if k != "@"}),
    ]
    if "version" in document:
        if type(document["version"]) is not int:
            raise InvalidModel("version: a whole number is due")
        known.append(("version", types.INT, document["version"]))
    return tuple(known)


def _declare(
    scope: Scope, constants: Iterable[tuple[str, Type, Any]]
) -> tuple[tuple[int, Any], ...]:
    return tuple((scope.declare(name, kind).slot, value) for name, kind, value in constants)


def _read_storage(checker: Checker, document: dict[str, Any]) -> None:
    for what, known in (("cells", checker.cells), ("pools", checker.pools)):
        for name, node in _entries(document.get(what, {}), what):
            place = f"{what}.{name}"
            if not isinstance(node, dict) or "type" not in node:
                raise InvalidModel(f"{place}: an object with a type is due")
            if node.get("source", "embedded") != "embedded":
                raise UnsupportedModel(
                    f"{place}: the source {node['source']!r} is not read: a model has to have all "
                    "of itself in its document; put the value into 'init'"
                )
            kind = checker.type(node["type"], f"{place}.type")
            kind = Map(kind) if what == "pools" else kind
            if "init" not in node and what == "cells":
                raise InvalidModel(f"{place}: a cell needs 'init'")
            value = checker.data.read(kind, node.get("init", {}), f"{place}.init")
            known[name] = Cell(kind, value)


def _read_functions(checker: Checker, document: dict[str, Any]) -> dict[str, Use]:
    """Check the document's functions; return what each does."""
    nodes = _entries(document.get("fcns", {}), "fcns")
    for name, node in nodes:
        place = f"fcns.{name}"
        keys = frozenset(node) - {"@"} if isinstance(node, dict) else frozenset()
        if keys != {"params", "ret", "do"} or not _NAME.fullmatch(name):
            raise InvalidModel(f"{place}: a function has 'params', 'ret' and 'do', and a name")
        params = read_params(checker, node["params"], place)
        result = checker.type(node["ret"], f"{place}.ret")
        checker.functions[f"u.{name}"] = UserFunction(f"u.{name}", params, result)
    uses = {}
    for name, node in nodes:
        function = checker.functions[f"u.{name}"]
        checker.use = uses[f"u.{name}"] = Use()
        scope = Scope(function.layout)
        for param, kind in function.params:
            scope.declare(param, kind)
        function.code = read_body(checker, node["do"], scope, function.result, f"fcns.{name}")
    return uses


def _entries(node: Any, where: str) -> list[tuple[str, Any]]:
    if not isinstance(node, dict):
        raise InvalidModel(f"{where}: an object is due")
    return [(name, each) for name, each in node.items() if name != "@"]


def _read_part(
    checker: Checker,
    document: dict[str, Any],
    part: str,
    constants: Iterable[tuple[str, Type, Any]],
) -> tuple[Code, Layout, tuple[tuple[int, Any], ...]] | None:
    """Check `begin` or `end`; `end` is never run, because a stream has none."""
    if part not in document or document[part] == []:
        return None
    checker.use = Use()
    layout = Layout()
    scope = Scope(layout)
    slots = _declare(scope, constants)
    if part == "end":
        scope.declare("actionsStarted", types.LONG)
        scope.declare("actionsFinished", types.LONG)
    return checker.block(document[part], scope.sealed(), part), layout, slots


def _run_begin(code: Code, layout: Layout, slots: tuple[tuple[int, Any], ...]) -> None:
    frame: list[Any] = [None] * layout.size
    frame[0] = Run()
    for slot, value in slots:
        frame[slot] = value
    try:
        code.run(frame)
    except (Fault, Stopped) as error:
        raise InvalidModel(f"begin: {error}") from error


def _check_writes(use: Use, functions: dict[str, Use]) -> None:
    """Raise UnsupportedModel when scoring a record would change what the next one is scored with."""
    reached: set[str] = set()
    pending = [use]
    while pending:
        at = pending.pop()
        for what, where in at.writes.items():
            raise UnsupportedModel(
                f"{where}: the model writes its own {what} as it scores, so that an answer depends "
                "on all records before; a score has to be the same when a record is replayed"
            )
        for name in at.calls - reached:
            reached.add(name)
            pending.append(functions[name])


def _mapped(document: dict[str, Any], use: Use, uses: dict[str, Use]) -> list[Any] | None:
    """Return the action that maps a record to what this one emits, if it ends with its only `emit`."""
    action = document["action"]
    nodes = action if isinstance(action, list) else [action]
    last = nodes[-1]
    if not isinstance(last, dict) or frozenset(last) - {"@"} != {"emit"}:
        return None
    everywhere = [use, *uses.values()]
    if sum(each.emitted for each in everywhere) > 1 or any(e.emits_freely for e in everywhere):
        return None
    value = last["emit"]
    return [*nodes[:-1], value[0] if isinstance(value, list) else value]
