"""Verbs that take a file of records: `send` and `score`."""

import sys
import time
from argparse import Namespace
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from modelstream.cli.flows import opened
from modelstream.cli.show import print_line, print_lines, progress
from modelstream.cli.text import counted, plain
from modelstream.core.effects import Outcome
from modelstream.engines.loaded import ready
from modelstream.engines.loaded import score as score_rows
from modelstream.engines.topics import prepare
from modelstream.errors import InvalidFlow
from modelstream.flow import Flow
from modelstream.formats import load_model
from modelstream.limits import SEND_STEP_SECONDS
from modelstream.messages import Outgoing
from modelstream.records.csv import CsvLayout, read_csv
from modelstream.records.json_lines import Chunk, Fault, keyed, read_json_lines

_DELIMITERS = {".csv": ",", ".tsv": "\t"}


def send(arguments: Namespace) -> int:
    """Append the records of a file to a record topic; a line that is no record is a finding."""
    sent = faults = 0
    pace = Pace(arguments.rate)
    with opened(arguments.flow, make=True) as (flow, log), progress("sending") as on_sent:
        if flow.schemas.records != "json":
            raise InvalidFlow(
                f"flow {flow.name!r} reads {flow.schemas.records} records, and a file is sent as "
                f"JSON; send them with a producer of your own"
            )
        topic = _topic(flow, arguments.topic)
        prepare(flow, log)
        for read in read_file(arguments):
            chunk, keys = _keyed(flow, topic, read, arguments.key)
            _tell(arguments.file, chunk.faults)
            faults += len(chunk.faults)
            for part in pace.parts(len(chunk.values)):
                log.append(Outgoing(topic, chunk.values[part], keys and keys[part]))
                on_sent(part.stop - part.start)
                sent += part.stop - part.start
    refused = f", {counted(faults, 'line')} refused" if faults else ""
    print_line(f"sent {counted(sent, 'record')} to {topic}{refused}")
    return 1 if faults else 0


def score(arguments: Namespace) -> int:
    """Score the records of a file with a model; a record without an answer is a finding.

    Prints {"outputs": {...}, "record": {...}} for each answered record, in order.
    """
    found = False
    model = load_model(
        arguments.model,
        arguments.format or None,
        feature_names=arguments.features,
        labels=arguments.labels,
        signature=arguments.signature,
    )
    loaded = ready(model, (1,))
    with progress("scoring") as on_scored:
        for chunk in read_file(arguments):
            rows = range(len(chunk.values))
            outcome = score_rows(loaded, chunk.values, rows, null_is_answer=False)
            failures = [
                Fault(chunk.lines[row], f"{failure.reason}: {failure.detail}")
                for row, failure in outcome.failures.items()
            ]
            print_lines(_answers(chunk, outcome))
            _tell(arguments.file, sorted(chunk.faults + failures))
            found = found or bool(chunk.faults or failures)
            on_scored(len(rows))
    model.close()
    return 1 if found else 0


@dataclass(slots=True)
class Pace:
    """Lets records through at a rate a second, a few at a time; all at once without one."""

    rate: float | None
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    _due: float | None = None

    def parts(self, count: int) -> Iterator[slice]:
        """Yield the next records as slices, each when it is due."""
        if self.rate is None:
            if count:
                yield slice(0, count)
            return
        step = max(1, int(self.rate * SEND_STEP_SECONDS))
        for start in range(0, count, step):
            now = self.clock()
            due = now if self._due is None else self._due
            if due > now:
                self.sleep(due - now)
            part = slice(start, min(start + step, count))
            self._due = due + (part.stop - part.start) / self.rate
            yield part


def read_file(arguments: Namespace) -> Iterator[Chunk]:
    """Read the file of records as what its name, or an option, says that it is."""
    suffix = arguments.file.suffix.lower()
    options = (arguments.delimiter, arguments.columns, arguments.strings, arguments.numbers)
    if suffix not in _DELIMITERS and not any(options):
        return read_json_lines(arguments.file)
    layout = CsvLayout(
        arguments.delimiter or _DELIMITERS.get(suffix, ","),
        arguments.columns,
        frozenset(arguments.strings),
        frozenset(arguments.numbers),
    )
    return read_csv(arguments.file, layout)


def _keyed(
    flow: Flow, topic: str, read: Chunk, key_field: str
) -> tuple[Chunk, Sequence[bytes] | None]:
    """Return records with their keys: a field or, where data types have owners, the data type."""
    if key_field:
        return keyed(read, key_field)
    if flow.partition_by == "key":
        return read, None
    if flow.data_type_field:
        return keyed(read, flow.data_type_field)
    return read, [flow.record_topics[topic].encode()] * len(read.values)


def _topic(flow: Flow, told: str) -> str:
    """Return the record topic that is meant. Raises InvalidFlow."""
    topics = list(flow.record_topics)
    if not told and len(topics) == 1:
        return topics[0]
    if told not in topics:
        said = f"{told!r} is none of them" if told else "say which one with --topic"
        raise InvalidFlow(f"flow {flow.name!r} reads records from {', '.join(topics)}; {said}")
    return told


def _tell(path: Path, faults: Sequence[Fault]) -> None:
    for line, reason in faults:
        sys.stderr.write(plain(f"{path}:{line}: {reason}") + "\n")


def _answers(chunk: Chunk, outcome: Outcome) -> list[bytes]:
    """Return each answered record beside its outputs, as JSON."""
    names = list(outcome.columns)
    answers = zip(*(column.tolist() for column in outcome.columns.values()), strict=True)
    encode = msgspec.json.Encoder().encode
    return [
        encode({"outputs": dict(zip(names, values, strict=True)), "record": record})
        for values, record in zip(
            answers, (msgspec.Raw(chunk.values[row]) for row in outcome.rows), strict=True
        )
    ]
