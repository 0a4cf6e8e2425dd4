"""Verbs that publish: `publish`, `stage`, `promote`, `rollback`, `retire`, `plan`, and their verdicts."""

from argparse import Namespace
from pathlib import Path

import msgspec

from modelstream import publishing
from modelstream.audit.history import read_history
from modelstream.cli.flows import opened
from modelstream.cli.sentences import of_event
from modelstream.cli.show import print_json, print_line, progress
from modelstream.errors import InvalidRecord
from modelstream.events import RegistryEvent, Rejected
from modelstream.flow import Flow
from modelstream.log.base import Log
from modelstream.messages import Position
from modelstream.records.json_lines import read_json_lines
from modelstream.wire.descriptor import GoldenRecord


def publish(arguments: Namespace) -> int:
    """Publish a model; it is promoted once it is admitted."""
    return _publish(arguments, stage=False)


def stage(arguments: Namespace) -> int:
    """Publish a model without promoting it."""
    return _publish(arguments, stage=True)


def promote(arguments: Namespace) -> int:
    """Make an admitted version current."""
    name, _, version = parted(arguments.version)
    with opened(arguments.flow) as (flow, log):
        return tell_verdict(arguments, log, flow, publishing.promote(log, flow, name, version))


def rollback(arguments: Namespace) -> int:
    """Go back to the version that was current before."""
    with opened(arguments.flow) as (flow, log):
        return tell_verdict(
            arguments, log, flow, publishing.rollback(log, flow, arguments.data_type)
        )


def retire(arguments: Namespace) -> int:
    """Take a version out for ever."""
    name, _, version = parted(arguments.version)
    with opened(arguments.flow) as (flow, log):
        return tell_verdict(arguments, log, flow, publishing.retire(log, flow, name, version))


def plan(arguments: Namespace) -> int:
    """Find answers by another policy from now on; without one, tell how they are found."""
    with opened(arguments.flow) as (flow, log):
        if arguments.policy:
            position = publishing.plan(log, flow, arguments.policy, arguments.data_type)
            return tell_verdict(arguments, log, flow, position)
        plans = list(read_history(log, flow).plans.values())
        if arguments.json:
            print_json(plans)
            return 0
        for each in plans:
            print_line(of_event(each))
        if not plans:
            print_line("the latest version of each data type answers: nothing else was said")
    return 0


def read_golden(path: Path) -> list[GoldenRecord]:
    """Read golden records, one JSON object a line. Raises InvalidRecord with the line."""
    golden: list[GoldenRecord] = []
    decode = msgspec.json.Decoder(_Golden).decode
    for chunk in read_json_lines(path):
        for line, reason in chunk.faults:
            raise InvalidRecord(f"{path}:{line}: {reason}")
        for line, value in zip(chunk.lines, chunk.values, strict=True):
            try:
                told = decode(value)
                record, outputs = bytes(told.record).decode(), bytes(told.outputs).decode()
            except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
                raise InvalidRecord(
                    f"{path}:{line}: this is no golden record ({error}); a line is "
                    f'{{"record": {{...}}, "outputs": {{...}}, "tolerance": 0.001}}'
                ) from error
            golden.append(GoldenRecord(record, outputs, told.tolerance))
    return golden


class _Golden(msgspec.Struct, forbid_unknown_fields=True):
    """A golden record as it stands in a file."""

    record: msgspec.Raw
    outputs: msgspec.Raw
    tolerance: float = 0.0


def _publish(arguments: Namespace, *, stage: bool) -> int:
    golden = [] if arguments.golden is None else read_golden(arguments.golden)
    with opened(arguments.flow, make=True) as (flow, log):
        position = publishing.publish(
            log,
            flow,
            arguments.model,
            name=arguments.name,
            version=arguments.version,
            data_type=arguments.data_type,
            format=arguments.format,
            description=arguments.description,
            publisher=arguments.publisher,
            feature_names=arguments.features,
            labels=arguments.labels,
            signature=arguments.signature,
            metrics=dict(arguments.metric),
            golden=golden,
            stage=stage,
        )
        return tell_verdict(arguments, log, flow, position)


def tell_verdict(arguments: Namespace, log: Log, flow: Flow, position: Position) -> int:
    """Wait for the verdict and print it; a refusal is a finding."""
    with progress(f"waiting for the verdict on {position}"):
        events = publishing.verdict(log, flow, position, arguments.wait)
    if arguments.json:
        print_json({"position": str(position), "events": events})
    else:
        for line in _lines(events, position, arguments.wait):
            print_line(line)
    return 1 if any(isinstance(event, Rejected) for event in events or ()) else 0


def _lines(events: list[RegistryEvent] | None, position: Position, waited: float) -> list[str]:
    if events is None:
        late = f"on the log at {position}; nobody has admitted it within {waited:g} s: "
        return [late + "`modelstream serve` or `modelstream admit` will"]
    return [of_event(event) for event in events] or ["nothing to change: it is so already"]


def parted(text: str) -> tuple[str, str, str]:
    """Part `name@version`; a name alone has no version."""
    return text.rpartition("@") if "@" in text else (text, "", "")
