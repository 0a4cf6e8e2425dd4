"""Runs titus2's own tests twice, in its own environment: on titus2, and on modelstream in its place.

The tests are read from a folder; a JSON line a test tells how both fared.
"""

import json
import sys
import unittest
from importlib import import_module
from types import ModuleType
from typing import Any
from unittest.mock import patch

from benchmarks.peer_jobs.titus_adapter import OwnEngine, accepts_as_titus, infer
from benchmarks.peer_jobs.titus_engine import engine_class

# Each module, with what of titus2 is replaced in it; the others test what only titus2 has.
ENGINES, EXPRESSIONS, TYPES, NONE = "engines", "expressions", "types", "none"
MODULES = {
    "testGenpy": ENGINES,
    "testDumpstate": ENGINES,
    "testTypeCheck": EXPRESSIONS,
    "testDatatype": TYPES,
    "testSignature": NONE,
    "testJsonToAst": NONE,
    "testAstToJson": NONE,
}
_TAGS = {"null", "boolean", "int", "long", "float", "double", "bytes", "string", "array", "map"}


class Outcomes(unittest.TestResult):
    """How each test ended: passed, refused or failed, and why."""

    def __init__(self) -> None:
        super().__init__()
        self.by_test: dict[str, tuple[str, str]] = {}

    def addSuccess(self, test: unittest.TestCase) -> None:  # noqa: N802 - unittest's name
        self.by_test[test.id()] = ("passed", "")

    def addSkip(self, test: unittest.TestCase, reason: str) -> None:  # noqa: N802
        self.by_test[test.id()] = ("refused", reason)

    def addFailure(self, test: unittest.TestCase, err: Any) -> None:  # noqa: N802
        self.by_test[test.id()] = ("failed", f"{err[0].__name__}: {err[1]}"[-500:])

    def addError(self, test: unittest.TestCase, err: Any) -> None:  # noqa: N802
        self.addFailure(test, err)


def run(module: ModuleType) -> dict[str, tuple[str, str]]:
    """Return how each test of a module ends."""
    outcomes = Outcomes()
    unittest.defaultTestLoader.loadTestsFromModule(module).run(outcomes)
    return outcomes.by_test


def run_here(module: ModuleType, kind: str) -> dict[str, tuple[str, str]]:
    """Return how each test of a module ends with modelstream in the place of titus2."""
    if kind == ENGINES:
        equal, almost = unittest.TestCase.assertEqual, unittest.TestCase.assertAlmostEqual
        with (
            patch.object(module, "PFAEngine", OwnEngine),
            patch.object(
                unittest.TestCase, "assertEqual", lambda test, a, b: equal(test, bare(a), bare(b))
            ),
            patch.object(
                unittest.TestCase,
                "assertAlmostEqual",
                lambda test, a, b, **more: almost(test, bare(a), bare(b), **more),
            ),
        ):
            return run(module)
    if kind == EXPRESSIONS:
        functions = type("Functions", (), {"fromFcnDef": staticmethod(lambda _name, node: node)})
        reader = type("Reader", (), {"expr": json.loads, "fcn": json.loads})
        with (
            patch.object(module, "inferType", infer),
            patch.object(module, "jsonToAst", reader),
            patch.object(module, "UserFcn", functions),
            patch.object(module.TestTypeCheck, "typeEquality", lambda _test, x, y: x.equals(y)),
        ):
            return run(module)
    classes = [each for each in vars(module).values() if isinstance(each, type)]
    before = [(each, vars(each)["accepts"]) for each in classes if "accepts" in vars(each)]
    for each, _ in before:
        each.accepts = accepts_as_titus  # type: ignore[attr-defined]
    try:
        return run(module)
    finally:
        for each, known in before:
            each.accepts = known  # type: ignore[attr-defined]


def bare(value: Any) -> Any:
    """Return a value without the tags of unions, and bytes as text, as titus2 has them."""
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if isinstance(value, dict):
        if len(value) == 1:
            (key,) = value
            if key in _TAGS or key[:1].isupper():
                return bare(value[key])
        return {key: bare(each) for key, each in value.items()}
    return [bare(each) for each in value] if isinstance(value, (list, tuple)) else value


def tell(module: ModuleType, kind: str) -> None:
    """Write a line for each test of a module."""
    theirs = run(module)
    ours = {} if kind == NONE else run_here(module, kind)
    for test, (outcome, _) in theirs.items():
        told, why = ours.get(test, ("not applicable", ""))
        line = {"test": test, "theirs": outcome, "ours": told, "why": why}
        sys.stdout.write(json.dumps(line) + "\n")


def main() -> None:
    """Run the modules of the folder that the first argument names."""
    engine_class()
    sys.path.insert(0, sys.argv[1])
    for name, kind in MODULES.items():
        tell(import_module(name), kind)


if __name__ == "__main__":
    main()
