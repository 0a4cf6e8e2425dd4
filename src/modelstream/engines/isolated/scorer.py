"""One version in a confined process of its own, as its executor sees it: records in, an outcome out.

A process that ends is replaced, and what it was asked is asked again; where it ends again the batch is
halved, until the record that ends it is alone.
"""

import logging
import os
import threading
from collections.abc import Sequence
from functools import cache

import msgspec

from modelstream.confinement.confine import Confinement
from modelstream.confinement.forker import Child, Forker, Imports
from modelstream.confinement.frames import receive_frame, send_frame
from modelstream.core.effects import Outcome
from modelstream.engines.isolated.memory import Memory, encode, new_memory
from modelstream.engines.isolated.messages import (
    Failed,
    Open,
    Opened,
    Reply,
    Request,
    Score,
    Scored,
)
from modelstream.engines.loaded import concatenated
from modelstream.errors import InvalidModel, ModelFailed, ModelTimedOut
from modelstream.limits import (
    ISOLATED_DEATHS_MAX,
    ISOLATED_FRAME_BYTES_MAX,
    ISOLATED_OPEN_SECONDS_MAX,
    JAIL_START_SECONDS_MAX,
    RECORD_BYTES_MAX,
    SCORE_SECONDS_MAX,
)
from modelstream.messages import Failure, Rows

_DECODE_CONFINEMENT = msgspec.msgpack.Decoder(Confinement).decode

_DECODE_REPLY = msgspec.msgpack.Decoder(Reply).decode

_log = logging.getLogger("modelstream")
_IMPORTS = Imports(
    module="modelstream.engines.isolated.child",
    # Its import would start a thread, unless it is told not to report on its use.
    environment={"ORT_DISABLE_TELEMETRY": "1"},
    what="modelstream",
    advice='or score in threads: isolation = "thread"',
    seconds=JAIL_START_SECONDS_MAX,
)


class ChildEnded(Exception):
    """A process ended, or speaks nonsense, before it had answered."""


@cache
def shared_forker() -> Forker:
    """Return the one of this process; nothing runs before somebody asks it to fork."""
    return Forker(_IMPORTS)


class IsolatedScorer:
    """Scores with one version, for one thread; `give_up` is for any.

    Raises InvalidModel where the process cannot load it.
    """

    def __init__(
        self, opening: Open, forker: Forker, *, seconds: float = SCORE_SECONDS_MAX
    ) -> None:
        self._opening, self._forker, self._seconds = opening, forker, seconds
        self._lock = threading.Lock()  # of the child: another thread may kill it
        self._child: Child | None = None
        self._closed = self._given_up = False
        self.deaths = 0
        forker.enter()
        self._descriptor = new_memory()
        self._memory = Memory(self._descriptor)
        try:
            self._open()
        except (ChildEnded, TimeoutError) as error:
            self.close()
            raise InvalidModel(f"the process did not load the model: {error}") from error
        except BaseException:
            self.close()
            raise

    def score(self, values: Sequence[bytes], rows: Rows) -> Outcome:
        """Score records, which are those of the batch rows `rows`. Raises ModelTimedOut, ModelFailed."""
        found = self._score(values, range(len(values)), [ISOLATED_DEATHS_MAX])
        if rows == range(len(values)):
            return found
        return Outcome(
            rows if len(found.rows) == len(rows) else [rows[row] for row in found.rows],
            found.columns,
            {rows[row]: why for row, why in found.failures.items()},
            found.took_us,
        )

    def process(self) -> int | None:
        """Return the handle of the process that scores now."""
        with self._lock:
            return None if self._child is None else self._child.handle

    def give_up(self, *, for_good: bool = False) -> None:
        """End the process in the middle of a call; unless it is for good it is asked again."""
        with self._lock:
            self._given_up = self._given_up or for_good
            if self._child is not None:
                self._child.kill()

    def close(self) -> None:
        """End the process and release what it was given."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self._drop()
            self._memory.close()
            os.close(self._descriptor)
        self._forker.leave()

    def _score(self, values: Sequence[bytes], rows: range, lives: list[int]) -> Outcome:
        if len(rows) > 1 and not self._memory.fits(values[rows.start : rows.stop]):
            return self._halved(values, rows, lives)
        why = ""
        for _ in range(2):
            try:
                return self._asked(values[rows.start : rows.stop], rows)
            except ChildEnded as error:
                why = str(error)
                self.deaths += 1
                lives[0] -= 1
                if lives[0] <= 0:
                    raise ModelFailed(f"its process ends again and again: {why}") from error
        if len(rows) > 1:
            return self._halved(values, rows, lives)
        failure = Failure("model_error", f"the process that scores ended at this record: {why}")
        return Outcome([], {}, {rows.start: failure}, 0.0)

    def _halved(self, values: Sequence[bytes], rows: range, lives: list[int]) -> Outcome:
        middle = rows.start + len(rows) // 2
        parts = (range(rows.start, middle), range(middle, rows.stop))
        first, second = (self._score(values, part, lives) for part in parts)
        return joined(first, second)

    def _asked(self, values: Sequence[bytes], rows: range) -> Outcome:
        """Ask once. Raises ChildEnded, ModelTimedOut, ModelFailed."""
        with self._lock:
            if self._closed or self._given_up:
                raise ModelFailed("the version was released")
            child = self._child
        if child is None:
            child = self._open()
        self._memory.put_records(values)
        try:
            reply = _ask(child, Score(len(values)), self._seconds)
            if isinstance(reply, Failed):
                raise ModelFailed(reply.reason)
            return self._taken(reply, rows)
        except ChildEnded:
            self._lose(child)
            raise
        except TimeoutError:
            self._lose(child)
            raise ModelTimedOut(f"it did not answer within {self._seconds:g} s") from None

    def _taken(self, reply: Reply, rows: range) -> Outcome:
        """Return the outcome that is told. Raises ChildEnded where it cannot be one."""
        if not isinstance(reply, Scored):
            raise ChildEnded("it answered what it was not asked")
        answered: Rows = rows
        if reply.rows is not None:
            answered = [rows.start + row for row in reply.rows]
        failures = {rows.start + row: why for row, why in reply.failures.items()}
        if sorted([*answered, *failures]) != list(rows):
            raise ChildEnded("it answered for other rows")
        try:
            columns = self._memory.take_columns(reply.columns, len(answered))
        except ValueError as error:
            raise ChildEnded(str(error)) from error
        return Outcome(answered, columns, failures, reply.took_us)

    def _open(self) -> Child:
        """Have a child forked that loads the version. Raises InvalidModel, ChildEnded, TimeoutError."""
        child = self._forker.fork(self._descriptor)
        try:
            _tell(_confinement(child))
            _check_opened(_ask(child, self._opening, ISOLATED_OPEN_SECONDS_MAX))
        except BaseException:
            child.end()
            raise
        with self._lock:
            if not self._closed:
                self._child = child
                return child
        child.end()
        raise InvalidModel("the version was released")

    def _lose(self, child: Child) -> None:
        with self._lock:
            if self._child is child:
                self._drop()

    def _drop(self) -> None:
        if self._child is not None:
            self._child.end()
            self._child = None


def joined(first: Outcome, second: Outcome) -> Outcome:
    """Join the outcomes of two parts."""
    there = [each.columns for each in (first, second) if len(each.rows)]
    columns = there[0] if there else {}
    if len(there) == 2:
        columns = {name: concatenated(column, there[1][name]) for name, column in columns.items()}
    return Outcome(
        [*first.rows, *second.rows],
        columns,
        {**first.failures, **second.failures},
        first.took_us + second.took_us,
    )


def _ask(child: Child, asked: Request, seconds: float) -> Reply:
    """Send a request and wait for the reply. Raises ChildEnded, TimeoutError."""
    try:
        child.channel.settimeout(seconds)
        send_frame(child.channel, encode(asked))
        said = receive_frame(child.channel, ISOLATED_FRAME_BYTES_MAX, seconds)
        reply: Reply = _DECODE_REPLY(said)
    except TimeoutError:
        raise
    except (OSError, EOFError, ValueError, msgspec.MsgspecError) as error:
        raise ChildEnded(str(error)) from error
    return reply


def _check_opened(reply: Reply) -> None:
    if not isinstance(reply, Opened):
        why = reply.reason if isinstance(reply, Failed) else "it speaks nonsense"
        raise InvalidModel(f"its process cannot load it: {why}")


def _confinement(child: Child) -> Confinement:
    try:
        said = receive_frame(child.channel, RECORD_BYTES_MAX, ISOLATED_OPEN_SECONDS_MAX)
        return _DECODE_CONFINEMENT(said)
    except TimeoutError:
        raise
    except (OSError, EOFError, ValueError, msgspec.MsgspecError) as error:
        raise ChildEnded(str(error)) from error


def _tell(confinement: Confinement) -> None:
    if confinement.missing:
        _log.warning(
            "a process that scores is confined less than it could be; missing here: %s",
            "; ".join(confinement.missing),
        )
