"""The leaves of the algebra: one version answers alone, or none has to."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from modelstream.core.policies.base import (
    Asks,
    Case,
    Decision,
    Piece,
    Policy,
    Ref,
    Reply,
    Rows,
    Single,
    failed,
    row_array,
)
from modelstream.errors import InvalidFlow
from modelstream.messages import Column, Columns, Failure, VersionId


@dataclass(frozen=True, slots=True)
class Latest(Single):
    """The data type's current version answers alone. So does a flow that says nothing."""

    @property
    def refs(self) -> tuple[Ref, ...]:
        """Whatever is current."""
        return ("",)

    def ask(self, case: Case, rows: Rows) -> Asks:  # noqa: ARG002 - others look at the case
        """Ask the current version."""
        return (("", rows),)

    def decide(self, case: Case, rows: Rows, *, final: bool = False) -> Decision:
        """Take its outcome as it is."""
        return said_by("", case, rows, final=final)


@dataclass(frozen=True, slots=True)
class Model(Single):
    """One model answers: the current version of its name or, with `name@version`, that one."""

    name: str

    def __post_init__(self) -> None:
        """Check the name."""
        given: Any = self.name
        name, pinned, version = str(given).rpartition("@")
        if not isinstance(given, str) or not given or (pinned and not (name and version)):
            raise InvalidFlow(f"{given!r} is no model; write its name, or name@version")

    @property
    def refs(self) -> tuple[Ref, ...]:
        """The model."""
        return (self.name,)

    def ask(self, case: Case, rows: Rows) -> Asks:  # noqa: ARG002 - others look at the case
        """Ask it."""
        return ((self.name, rows),)

    def decide(self, case: Case, rows: Rows, *, final: bool = False) -> Decision:
        """Take its outcome as it is."""
        return said_by(self.name, case, rows, final=final)


@dataclass(frozen=True, slots=True)
class Constant(Single):
    """Declared outputs answer, the same for all records: a default where models fail.

    `outputs` is JSON text, an object by output name; a mapping is written as such.
    """

    outputs: str

    def __post_init__(self) -> None:
        """Keep the outputs as JSON, which compares and hashes as a value."""
        given: Any = self.outputs
        try:
            read = json.loads(given) if isinstance(given, str) else dict(given)
            text = json.dumps(read, sort_keys=True, allow_nan=False)
        except (TypeError, ValueError, RecursionError) as error:
            raise InvalidFlow(f"Constant's outputs {given!r} are no JSON object: {error}") from None
        if not isinstance(read, dict) or not read:
            raise InvalidFlow(f"Constant's outputs {given!r} name no output")
        if not all(_is_output(value) for value in read.values()):
            raise InvalidFlow(
                f"Constant's outputs {given!r} are more than text, numbers and lists of numbers"
            )
        object.__setattr__(self, "outputs", text)

    def ask(self, case: Case, rows: Rows) -> Asks:  # noqa: ARG002 - others look at the case
        """Ask nobody."""
        return ()

    def decide(self, case: Case, rows: Rows, *, final: bool = False) -> Decision:  # noqa: ARG002
        """Answer with the constant."""
        if not len(rows):
            return Decision()
        outputs = json.loads(self.outputs)
        columns = {name: _repeated(value, len(rows)) for name, value in outputs.items()}
        return Decision((Piece(rows, columns, None),))


def _is_output(value: Any) -> bool:
    plain = isinstance(value, str | int | float) or value is None
    numbers = isinstance(value, list) and all(type(each) in {int, float} for each in value)
    return plain or numbers


def _repeated(value: Any, count: int) -> Column:
    plain = np.array([value] * count)
    if plain.dtype.kind in "fiub":
        return plain
    column = np.empty(count, dtype=object)
    column[:] = [value] * count
    return column


def as_policy(given: "Policy | str") -> Policy:
    """Return a policy; a name stands for that model."""
    if isinstance(given, str):
        return Model(given)
    if not hasattr(given, "decide"):
        raise InvalidFlow(f"{given!r} is no policy; write a model's name, or a policy")
    return given


def as_policies(what: str, given: object) -> tuple[Policy, ...]:
    """Return a list of policies; names stand for models."""
    if not isinstance(given, list | tuple):
        raise InvalidFlow(f"{what} is {given!r}; it is a list of models' names and policies")
    return tuple(map(as_policy, given))


def said_by(ref: Ref, case: Case, rows: Rows, *, final: bool) -> Decision:
    """Decide on rows by what one candidate said of them."""
    version = case.versions.get(ref)
    if version is None:
        return failed(rows, Failure("no_model", f"{_shown(ref)} is not there to be asked"))
    reply = case.replies.get(version)
    if reply is None or not reply.outcomes:
        return _unanswered(version, rows, final=final)
    if len(reply.outcomes) == 1:
        (outcome,) = reply.outcomes
        if (
            len(outcome.rows) + len(outcome.failures) == len(rows) == case.size
            or outcome.rows is rows
        ):
            piece = Piece(
                outcome.rows, outcome.columns, version, outcome.took_us, outcome.served_version
            )
            return Decision((piece,) if len(outcome.rows) else (), outcome.failures)
    return _picked(version, reply, case.size, rows, final=final)


def _picked(version: VersionId, reply: Reply, size: int, rows: Rows, *, final: bool) -> Decision:
    """Pick what was said of some rows from several outcomes, or from one of more rows."""
    left = row_array(rows)
    pieces = []
    for outcome, places in zip(reply.outcomes, reply.positions(size), strict=True):
        at = places[left]
        hit = at >= 0
        if hit.any():
            columns: Columns = {name: each[at[hit]] for name, each in outcome.columns.items()}
            pieces.append(
                Piece(left[hit], columns, version, outcome.took_us, outcome.served_version)
            )
            left = left[~hit]
    failures: Mapping[int, Failure] = reply.failures(left)
    if failures:
        left = left[~np.isin(left, list(failures))]
    rest = _unanswered(version, left, final=final) if len(left) else Decision()
    return Decision(tuple(pieces), {**failures, **rest.failures}, rest.waiting, rest.wake_us)


def _unanswered(version: VersionId, rows: Rows, *, final: bool) -> Decision:
    if not final:
        return Decision(waiting=rows)
    return failed(rows, Failure("deadline", f"{version} had not answered in time"))


def _shown(ref: Ref) -> str:
    return repr(ref) if ref else "a current model"
