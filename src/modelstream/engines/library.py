"""`join`: the same join for two iterables in one process, without a log.

Records are pulled, so a slow reader slows the source. Models are read in a thread (or task) of
their own and loaded beside the running one; a swap falls between two batches.
"""

import asyncio
import itertools
import time
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
from typing import Any, Literal

from modelstream.core.policies.base import Policy
from modelstream.core.policies.single import Latest
from modelstream.engines.arrivals import Arrivals, ModelSource
from modelstream.engines.shell import Shell
from modelstream.errors import UnknownModel
from modelstream.flow import Flow
from modelstream.formats.base import NO_FUNCTIONS, Device, Functions, Remote
from modelstream.formats.functions import import_functions
from modelstream.formats.runtime import check_device
from modelstream.limits import BATCH_RECORDS_MAX, STOP_SECONDS_MAX
from modelstream.messages import RecordBatch, Reject, Result
from modelstream.wire.json import read_field

# 256 records have all of a batch's gain (see docs), and answer four times sooner than 1,000.
_BATCH = 256


def join(
    records: Iterable[Any] | AsyncIterable[Any],
    models: Iterable[ModelSource] | AsyncIterable[ModelSource],
    *,
    answer: Policy | None = None,
    data_type: str = "records",
    data_type_field: str = "",
    on_no_model: Literal["hold", "reject"] = "hold",
    on_missing_answer: Literal["reject", "null"] = "reject",
    echo: bool = True,
    batch: int = _BATCH,
    remote: Remote | None = None,
    device: Device = "cpu",
    functions: Functions = NO_FUNCTIONS,
) -> "Join":
    """Join records (JSON bytes or dicts) with models; iterate over the results.

    Every record gives one Result or one Reject, in order. A model is a path, bytes, a pair of a
    name and one of these, or a ModelDescriptor; the newest of a data type answers. `batch` is the
    most records that are pulled before they are answered together: use 1 where a record must be
    answered before the next one can be had. `remote` names the servers that models, given by their
    URLs, may be asked at; `functions` those that pipelines may call, as names to `module:function`.
    Raises InvalidFlow.
    """
    check_device(device)
    flow = Flow(
        name="join",
        records="records",
        data_type=data_type,
        data_type_field=data_type_field,
        answer=answer or Latest(),
        on_no_model=on_no_model,
        on_missing_answer=on_missing_answer,
        echo=echo,
        batch_records=min(batch, BATCH_RECORDS_MAX),
        remote=remote or Remote(),
        device=device,
        functions=functions,
    )
    import_functions(functions)
    return Join(flow, records, models)


class Join:
    """A running join: iterate over it with `for` or `async for`, once.

    `machine` shows versions and their figures meanwhile.
    """

    def __init__(
        self,
        flow: Flow,
        records: Iterable[Any] | AsyncIterable[Any],
        models: Iterable[ModelSource] | AsyncIterable[ModelSource],
    ) -> None:
        self._flow = flow
        self._records = records
        self._models = models
        self._arrivals = Arrivals(flow)
        self._shell = Shell(flow, self._arrivals.load, self._arrivals.notify)
        self._read_type = read_field(flow.data_type_field) if flow.data_type_field else None
        self._offset = 0
        self.machine = self._shell.machine

    def __iter__(self) -> Iterator[Result | Reject]:
        """Answer records from a plain iterable."""
        if isinstance(self._records, AsyncIterable) or isinstance(self._models, AsyncIterable):
            raise TypeError("records or models are asynchronous: use `async for`")
        self._arrivals.read(self._models)
        records = iter(self._records)
        try:
            while chunk := list(itertools.islice(records, self._flow.batch_records)):
                yield from self._answered(chunk)
        finally:
            self._shell.close(STOP_SECONDS_MAX)

    async def __aiter__(self) -> AsyncIterator[Result | Reject]:
        """Answer records from a plain or an asynchronous iterable."""
        reader: asyncio.Task[None] | None = None
        if isinstance(self._models, AsyncIterable):
            reader = asyncio.create_task(self._arrivals.read_async(self._models))
        else:
            self._arrivals.read(self._models)
        try:
            async for chunk in chunks(self._records, self._flow.batch_records):
                for outcome in await self._answered_async(chunk):
                    yield outcome
        finally:
            if reader is not None:
                reader.cancel()
            self._shell.close(STOP_SECONDS_MAX)

    def _answered(self, chunk: list[Any]) -> list[Result | Reject]:
        """Answer a chunk, waiting for a first model, or for its server, if need be."""
        outcomes: list[Result | Reject] = []
        while len(outcomes) < len(chunk):
            some = self._turn(chunk[len(outcomes) :])
            if not some:
                self._arrivals.wait()
            outcomes += some
        return outcomes

    async def _answered_async(self, chunk: list[Any]) -> list[Result | Reject]:
        outcomes: list[Result | Reject] = []
        while len(outcomes) < len(chunk):
            some = self._turn(chunk[len(outcomes) :])
            if not some:
                await asyncio.to_thread(self._arrivals.wait)
            outcomes += some
        return outcomes

    def _turn(self, chunk: list[Any]) -> list[Result | Reject]:
        """Take one turn over the chunk's first records; none is answered while they must wait."""
        ended = self._arrivals.ended()
        self._shell.follow(self._arrivals.events())
        self._shell.take_loads()
        if self._shell.absences.waiting():
            return []
        chunk = chunk[: self._shell.absences.batch_records]
        size = len(chunk)
        offsets = range(self._offset, self._offset + size)
        now = time.time_ns() // 1_000_000
        batch = RecordBatch("records", 0, offsets, chunk, [now] * size)
        turn = self._shell.join([batch], lambda _: self._read_type or self._flow.data_type)
        self._shell.finish(turn)
        if turn.held:
            absent = self._shell.absences.reasons
            if ended and not absent and not self._shell.machine.loading():
                raise UnknownModel(self._arrivals.why_none(self._shell.failed.reasons))
            return []
        self._offset += size
        return turn.outcomes


async def chunks(
    records: Iterable[Any] | AsyncIterable[Any], most: int
) -> AsyncIterator[list[Any]]:
    """Pull what is there, at most so many; wait only for the first record of a chunk."""
    if not isinstance(records, AsyncIterable):
        plain = iter(records)
        while chunk := list(itertools.islice(plain, most)):
            yield chunk
            await asyncio.sleep(0)
        return
    source = aiter(records)
    pull = asyncio.ensure_future(anext(source, _END))
    try:
        while (first := await pull) is not _END:
            chunk = [first]
            pull = asyncio.ensure_future(anext(source, _END))
            await asyncio.sleep(0)
            while pull.done() and len(chunk) < most and pull.result() is not _END:
                chunk.append(pull.result())
                pull = asyncio.ensure_future(anext(source, _END))
                await asyncio.sleep(0)
            yield chunk
    finally:
        pull.cancel()


_END = object()
