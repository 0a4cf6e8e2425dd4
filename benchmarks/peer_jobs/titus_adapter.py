"""What titus2's own tests ask of titus2, answered by modelstream: engines, types of expressions, and
which type accepts which. It runs in titus2's environment, for `titus_cases`.
"""

import json
import unittest
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

import numpy as np

from modelstream.errors import InvalidModel, UnsupportedModel
from modelstream.formats.pfa import document, types
from modelstream.formats.pfa.check import Checker
from modelstream.formats.pfa.code import Code, Frame, by_row
from modelstream.formats.pfa.data import Data
from modelstream.formats.pfa.document import Engine, compile_document
from modelstream.formats.pfa.faults import Fault, Stopped
from modelstream.formats.pfa.forms import forms
from modelstream.formats.pfa.functions import library
from modelstream.formats.pfa.schema import Schemas
from modelstream.formats.pfa.scope import Cell, Layout, Scope, UserFunction
from modelstream.formats.pfa.types import Array, Enum, Fixed, Map, Record, Type, Union, accepts
from modelstream.formats.pfa.yaml import read_yaml
from tests.support.pfa import by_columns, by_rows, same

_TEXT_LIMIT = 300
# PFA's own codes begin here; smaller ones are a document's.
_CODES_FROM = 1000
_LOGS = ("log", "log namespace")


def refusing(build: Callable[[], Any]) -> Any:
    """Run what reads a document, with titus2's errors for a wrong one; a refused one skips the test.

    titus2 tells three kinds of wrong documents apart, which are one here.
    """
    errors = import_module("titus.errors")
    kinds = (
        errors.PFASemanticException,
        errors.PFASyntaxException,
        errors.PFAInitializationException,
    )
    wrong = type("Wrong", kinds, {"__init__": RuntimeError.__init__})
    try:
        return build()
    except UnsupportedModel as error:
        raise unittest.SkipTest(str(error)[:_TEXT_LIMIT]) from error
    except InvalidModel as error:
        raise wrong(str(error)) from error


class OwnEngine:
    """An engine with the interface of titus2's. Each record is scored by rows and by columns."""

    def __init__(self, node: Any) -> None:
        self.emit: Callable[[Any], None] | None = None
        self.log: Callable[[list[Any], Any], None] = lambda _values, _namespace: None
        with_logs = {**forms(), **{frozenset(keys.split()): self._log_form for keys in _LOGS}}
        before, document.forms = document.forms, lambda: with_logs  # type: ignore[attr-defined]
        try:
            self._engine: Engine = refusing(lambda: compile_document(node))
        finally:
            document.forms = before  # type: ignore[attr-defined]
        self._logs = "log" in json.dumps(node)

    @classmethod
    def from_yaml(cls, text: Any, *_options: Any, **_more: Any) -> "list[OwnEngine]":
        """Return the engine of a document in YAML, alone in a list as titus2 has it."""
        data = text.encode() if isinstance(text, str) else text
        return [cls(refusing(lambda: read_yaml(data)))]

    @classmethod
    def from_json(cls, text: Any, *_options: Any, **_more: Any) -> "list[OwnEngine]":
        """Return the engine of a document in JSON, or of its parts."""
        return [cls(json.loads(text) if isinstance(text, str) else text)]

    fromYaml = from_yaml  # noqa: N815 - titus2's names
    fromJson = from_json  # noqa: N815

    def action(self, record: Any) -> Any:
        """Answer one record. Raises titus2's errors."""
        value = given(self._engine.input, record)
        frame = self._engine.frame(value)
        errors = import_module("titus.errors")
        try:
            with np.errstate(all="ignore"):
                answer = self._engine.action.run(frame)
        except Stopped as error:
            raise errors.PFATimeoutException(str(error)) from error
        except Fault as error:
            if error.code is None or error.code < _CODES_FROM:
                raise errors.PFAUserException(error.message, error.code, "") from error
            raise errors.PFARuntimeException(error.message, error.code, "", "") from error
        if self._engine.emits:
            for each in frame[0].emitted:
                assert self.emit is not None
                self.emit(each)
            return None
        self._check_columns(value)
        return answer

    def begin(self) -> None:
        """Do nothing: it was run when the document was read."""

    def end(self) -> None:
        """Do nothing: a stream has no end."""

    def _check_columns(self, value: Any) -> None:
        """Score a batch by columns; it has to answer what its rows do by themselves."""
        if self._logs:
            return
        columns = by_columns(self._engine, [value, value])
        rows = by_rows(self._engine, [value, value])
        if columns is not None and not all(map(same, rows, columns)):
            raise AssertionError(f"{rows} by rows, {columns} by columns")

    def _log_form(self, checker: Checker, node: Any, scope: Scope, where: str) -> Code:
        """Read {"log": [...]}, with a log to look at."""
        listed = node["log"] if isinstance(node["log"], list) else [node["log"]]
        parts = [checker.expression(each, scope.argument(), f"{where}.log") for each in listed]

        def run(frame: Frame) -> None:
            self.log([part.run(frame) for part in parts], node.get("namespace"))

        return by_row(types.NULL, run)


def given(kind: Type, value: Any) -> Any:
    """Read a record as titus2 takes it: JSON, in which values of unions need no tag."""
    return Data().read(kind, tagged(kind, value), "record")


def tagged(kind: Type, value: Any) -> Any:
    """Add the tags of unions."""
    if isinstance(kind, Union) and value is not None:
        if isinstance(value, dict) and set(value) <= {types.tag(each) for each in kind.members}:
            return value
        (chosen,) = [each for each in kind.members if _is_like(each, value)][:1]
        return {types.tag(chosen): tagged(chosen, value)}
    if isinstance(kind, Array) and isinstance(value, list):
        return [tagged(kind.items, each) for each in value]
    if isinstance(kind, Map) and isinstance(value, dict):
        return {key: tagged(kind.values, each) for key, each in value.items()}
    if isinstance(kind, Record) and isinstance(value, dict):
        return {key: tagged(kind.fields[key], each) for key, each in value.items()}
    return value.decode("latin-1") if isinstance(value, bytes) else value


def _is_like(kind: Type, value: Any) -> bool:
    if isinstance(value, str):
        return kind in {types.STRING, types.BYTES} or isinstance(kind, Enum | Fixed)
    if isinstance(value, bool):
        return kind == types.BOOLEAN
    if isinstance(value, (int, float)):
        return kind in (types.REAL if isinstance(value, float) else types.NUMBERS)
    return isinstance(kind, Array if isinstance(value, list) else Map | Record)


class Inferred:
    """The type of an expression, which titus2's types are compared with."""

    def __init__(self, kind: Type, schemas: Schemas) -> None:
        self._kind = kind
        self._schemas = schemas

    def equals(self, other: Any) -> bool:
        """Tell whether it and a type of titus2 accept each other."""
        kind = self._schemas.read(json.loads(repr(other)), "type")
        return accepts(self._kind, kind) and accepts(kind, self._kind)


def infer(
    node: Any,
    symbols: Mapping[str, Any] | None = None,
    cells: Mapping[str, Any] | None = None,
    pools: Mapping[str, Any] | None = None,
    fcns: Mapping[str, Any] | None = None,
) -> Inferred:
    """Return the type of an expression among variables, cells, pools and functions of some types."""
    stored = [{} if each is None else _planes(each) for each in (cells, pools)]
    variables = (
        {} if symbols is None else {name: json.loads(repr(k)) for name, k in symbols.items()}
    )
    functions = {} if fcns is None else dict(fcns)
    schemas = Schemas([node, variables, *stored, functions])
    checker = Checker(schemas, forms(), library())
    scope = Scope(Layout())

    def build() -> Inferred:
        for name, kind in variables.items():
            scope.declare(name, checker.type(kind, name))
        for name, kind in stored[0].items():
            checker.cells[name] = Cell(checker.type(kind, name), None)
        for name, kind in stored[1].items():
            checker.pools[name] = Cell(Map(checker.type(kind, name)), {})
        for name, each in functions.items():
            params = [next(iter(param.items())) for param in each["params"]]
            read = tuple((key, checker.type(kind, key)) for key, kind in params)
            checker.functions[name] = UserFunction(name, read, checker.type(each["ret"], name))
        return Inferred(checker.expression(node, scope, "expression").type, schemas)

    found: Inferred = refusing(build)
    return found


def _planes(stored: Mapping[str, Any]) -> dict[str, Any]:
    return {name: json.loads(repr(each.avroPlaceholder.avroType)) for name, each in stored.items()}


def accepts_as_titus(wide: Any, narrow: Any, *_version: Any) -> bool:
    """Tell whether one of titus2's types accepts another, by the rules here."""
    nodes = [json.loads(repr(wide)), json.loads(repr(narrow))]
    schemas = Schemas(nodes)
    return accepts(schemas.read(nodes[0], "type"), schemas.read(nodes[1], "type"))
