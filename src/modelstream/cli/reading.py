"""Verbs that read: `models`, `stats`, `tail`."""

import sys
import time
from argparse import Namespace
from collections.abc import Callable, Sequence

from modelstream.cli import sentences
from modelstream.cli.flows import opened
from modelstream.cli.qualities import show_quality
from modelstream.cli.show import print_json, print_line, print_lines, print_table, progress
from modelstream.cli.tailing import AsJson, Message, TopicTail, record_line
from modelstream.cli.text import counted, duration, rate, size, when
from modelstream.events import decode_event
from modelstream.flow import Flow
from modelstream.limits import FOLLOW_SECONDS
from modelstream.quality.measure import measure
from modelstream.query.figures import FlowFigures, VersionFigures, outcomes, read_figures
from modelstream.query.positions import PartitionFigures
from modelstream.query.versions import ListedVersion, read_versions
from modelstream.wire.reading import record_reader
from modelstream.wire.results import decode_reject, decode_result
from modelstream.wire.writing import result_format


def models(arguments: Namespace) -> int:
    """List every version and every refusal."""
    with opened(arguments.flow) as (flow, log):
        listed = read_versions(log, flow)
    if arguments.json:
        print_json(listed)
        return 0
    versions = [each for each in listed if each.state != "rejected"]
    rejected = [each for each in listed if each.state == "rejected"]
    if versions:
        print_table(
            f"versions of {flow.name}", _VERSION_HEADINGS, list(map(_version_row, versions))
        )
    else:
        print_line(f"no version of {flow.name} is admitted; `modelstream publish` brings one")
    if rejected:
        print_line("")
        headings = ["model", "when", "code", "reason"]
        print_table("refused", headings, list(map(_refusal_row, rejected)))
    return 0


def stats(arguments: Namespace) -> int:
    """Show how each version does, and the rejects."""
    with (
        opened(arguments.flow) as (flow, log),
        progress("reading results and rejects", outcomes(log, flow)) as on_read,
    ):
        figures = read_figures(log, flow, on_read)
    if arguments.json:
        print_json(figures)
        return 0
    print_line(_summary(figures))
    if figures.versions:
        print_line("")
        print_table("versions", _FIGURE_HEADINGS, list(map(_figures_row, figures.versions)))
    if figures.rejects_by_reason:
        print_line("")
        rows = [[reason, f"{count:,}"] for reason, count in figures.rejects_by_reason.items()]
        print_table("rejects", ["reason", ">records"], rows)
    if figures.waiting:
        print_line("")
        now_ms = time.time_ns() // 1_000_000
        behind = [_position_row(each, now_ms) for each in figures.partitions if each.lag]
        print_table("partitions that are behind", _POSITION_HEADINGS, behind)
    return 0


def quality(arguments: Namespace) -> int:
    """Show how good each version was, and where two of them disagree."""
    with (
        opened(arguments.flow) as (flow, log),
        progress("reading labels and results", outcomes(log, flow)) as on_read,
    ):
        report = measure(log, flow, on_read)
    if arguments.json:
        print_json(report)
    else:
        show_quality(report)
    return 0


def tail(arguments: Namespace) -> int:
    """Show the last messages of a topic and, if asked to, those that follow."""
    with opened(arguments.flow) as (flow, log):
        tail = TopicTail(log, _topics(flow, arguments.topic), _as_json(flow, arguments.topic))
        _print(tail.last(arguments.n), arguments.topic, as_json=arguments.json)
        while arguments.follow:
            sys.stdout.flush()
            time.sleep(FOLLOW_SECONDS)
            _print(tail.new(), arguments.topic, as_json=arguments.json)
    return 0


_VERSION_HEADINGS = [
    "version",
    "data type",
    "state",
    "since (UTC)",
    "format",
    ">size",
    "sha-256",
    "publisher",
]
_POSITION_HEADINGS = ["partition", ">committed", ">end", ">lag", ">oldest waits for"]
_FIGURE_HEADINGS = [
    "version",
    "data type",
    "state",
    ">records",
    ">errors",
    ">p50",
    ">p95",
    ">p99",
    ">max",
    ">rate",
]


def _version_row(version: ListedVersion) -> list[str]:
    return [
        f"{version.name}@{version.version}",
        version.data_type,
        version.state,
        when(version.since_ms),
        version.format or "-",
        size(version.size),
        (version.digest or "-")[:12],
        version.publisher or "-",
    ]


def _refusal_row(version: ListedVersion) -> list[str]:
    name = f"{version.name}@{version.version}" if version.version else version.name
    return [name or "-", when(version.since_ms), version.code or "-", version.reason or "-"]


def _figures_row(figures: VersionFigures) -> list[str]:
    took = (figures.p50_us, figures.p95_us, figures.p99_us, figures.max_us)
    return [
        f"{figures.name}@{figures.version}",
        figures.data_type or "-",
        figures.state or "unknown",
        f"{figures.uses:,}",
        f"{figures.errors:,}",
        *(duration(each) if figures.uses else "-" for each in took),
        rate(figures.per_second),
    ]


def _position_row(figures: PartitionFigures, now_ms: int) -> list[str]:
    oldest_ms = now_ms if figures.oldest_ms is None else figures.oldest_ms
    return [
        f"{figures.topic}/{figures.partition}",
        *(f"{each:,}" for each in (figures.committed, figures.end, figures.lag)),
        duration(1000.0 * max(0, now_ms - oldest_ms)),
    ]


def _summary(figures: FlowFigures) -> str:
    line = (
        f"{figures.flow}: {counted(figures.results, 'result')}, "
        f"{counted(figures.rejects, 'reject')}, {counted(figures.waiting, 'record')} waiting"
    )
    if figures.first_ms is None:
        return line
    times = f"{when(figures.first_ms)} to {when(figures.last_ms)} UTC"
    return f"{line}; {rate(figures.per_second)} from {times}"


def _topics(flow: Flow, word: str) -> Sequence[str]:
    named = {"results": flow.results, "rejects": flow.rejects, "registry": flow.registry}
    return [named[word]] if word in named else list(flow.record_topics)


def _as_json(flow: Flow, word: str) -> AsJson:
    """Return what makes JSON of a topic's messages; what it cannot read stays as it is."""
    if word == "results":
        return result_format(flow).as_json
    reader = record_reader(flow.schemas) if word == "records" else None
    if reader is None:
        return list
    return lambda values: [
        record or value for record, value in zip(reader.read(values).records, values, strict=True)
    ]


def _print(messages: Sequence[Message], word: str, *, as_json: bool) -> None:
    if as_json:
        as_line = record_line if word == "records" else _value
        print_lines([as_line(message) for message in messages])
    else:
        for message in messages:
            print_line(_SENTENCES[word](message))


def _value(message: Message) -> bytes:
    return message.value


def _event_line(message: Message) -> str:
    event = decode_event(message.value)
    return f"{message.position.offset}  {when(event.at_ms)}  {sentences.of_event(event)}"


_SENTENCES: dict[str, Callable[[Message], str]] = {
    "results": lambda message: sentences.of_result(decode_result(message.value)),
    "rejects": lambda message: sentences.of_reject(decode_reject(message.value)),
    "registry": _event_line,
    "records": lambda message: sentences.of_record(*message),
}
