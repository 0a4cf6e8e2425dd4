"""Scores records again: with any admitted version, and the same code that the join runs.

A few versions are kept in memory; what is evicted is closed.
"""

from collections import OrderedDict
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

import msgspec

from modelstream.core.effects import Outcome
from modelstream.engines.loaded import Loaded, load, score
from modelstream.errors import InvalidModel, ModelstreamError, UnknownModel
from modelstream.events import Admitted, version_of
from modelstream.flow import Flow
from modelstream.formats.pipeline.build import asks_server
from modelstream.limits import AUDIT_VERSIONS_LOADED_MAX
from modelstream.log.base import Log
from modelstream.messages import Failure, VersionId
from modelstream.models.artifacts import lowered_bytes
from modelstream.models.jail import Jail

# What scoring gives for one record: the outputs as JSON, or why there are none.
Answer = bytes | Failure


class AnsweredByServer(UnknownModel):
    """A server answered for this version, and what it did cannot be worked out from the topics."""


class Rescorer:
    """Loads versions from a flow's log and scores with them. Close it, or use it in a `with`."""

    def __init__(self, log: Log, flow: Flow) -> None:
        self.flow = flow
        self._log = log
        self._jail = Jail()  # starts no process until an artifact has to be lowered again
        self._loaded: OrderedDict[VersionId, Loaded] = OrderedDict()
        self._failed: dict[VersionId, ModelstreamError] = {}

    def loaded(self, admitted: Admitted) -> Loaded:
        """Return a version in memory; it may be closed by a later call for another one.

        Raises UnknownModel, InvalidModel where it can no longer be had, AnsweredByServer where it
        never could: a server is not on the topics. LogError, JailFailed.
        """
        version = version_of(admitted)
        if version in self._failed:
            raise self._failed[version]
        if version not in self._loaded:
            self._loaded[version] = self._load(admitted)
            if len(self._loaded) > AUDIT_VERSIONS_LOADED_MAX:
                _, oldest = self._loaded.popitem(last=False)
                oldest.model.close()
        self._loaded.move_to_end(version)
        return self._loaded[version]

    def _load(self, admitted: Admitted) -> Loaded:
        """Load a version; what cannot be had is not asked for twice, as that may take seconds."""
        try:
            _check_reproducible(admitted.format == "remote", admitted)
            lowered = lowered_bytes(admitted, log=self._log, flow=self.flow, jail=self._jail)
            _check_reproducible(admitted.format == "pipeline" and asks_server(lowered), admitted)
            flow = self.flow
            return load(admitted.format, lowered, (), bind=flow.bind, functions=flow.functions)
        except (InvalidModel, UnknownModel) as error:
            self._failed[version_of(admitted)] = error
            raise

    def score(self, admitted: Admitted, values: Sequence[bytes]) -> Outcome:
        """Score records; the rows of the outcome are their indices. Raises what `loaded` does."""
        return score(
            self.loaded(admitted),
            values,
            range(len(values)),
            null_is_answer=self.flow.on_missing_answer == "null",
        )

    def answers(self, admitted: Admitted, values: Sequence[bytes]) -> list[Answer]:
        """Score records; return what becomes of each. Raises what `loaded` does."""
        outcome = self.score(admitted, values)
        names = [each.name for each in self.loaded(admitted).model.outputs]
        columns = [outcome.columns[name].tolist() for name in names] if len(outcome.rows) else []
        encode = msgspec.json.Encoder().encode
        answers: dict[int, Answer] = dict(outcome.failures)
        for row, answer in zip(outcome.rows, zip(*columns, strict=True), strict=True):
            answers[row] = encode(dict(zip(names, answer, strict=True)))
        return [answers[row] for row in range(len(values))]

    def close(self) -> None:
        """Release every version and the confined processes."""
        for loaded in self._loaded.values():
            loaded.model.close()
        self._loaded.clear()
        self._jail.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def _check_reproducible(is_remote: bool, admitted: Admitted) -> None:
    if is_remote:
        raise AnsweredByServer(
            f"{version_of(admitted)} is asked at a server, whose answers cannot be worked out again "
            "from the topics"
        )


def same_json(left: bytes, right: bytes) -> bool:
    """Tell whether two JSON texts say the same: equal values, numbers to the last bit.

    Equal bytes are the rule; spaces, escapes and the order of keys make no difference.
    """
    return left == right or canonical_json(left) == canonical_json(right)


def canonical_json(data: bytes) -> bytes:
    """Return JSON with sorted keys and without spaces; bytes that are none, as they are."""
    try:
        return msgspec.json.encode(msgspec.json.decode(data), order="sorted")
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return data


def plain_json(data: bytes) -> Any:
    """Return what a JSON text says; bytes that are none as text, what cannot be shown escaped."""
    try:
        return msgspec.json.decode(data)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return data.decode(errors="backslashreplace")


def plain_answer(answer: Answer) -> Any:
    """Return an answer's outputs by name, or the Failure that it is."""
    return answer if isinstance(answer, Failure) else plain_json(answer)
