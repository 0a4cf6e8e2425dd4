"""The verb `release`: start one, end it, or show how releases went."""

from argparse import Namespace
from collections.abc import Sequence

from modelstream import publishing
from modelstream.audit.history import History, read_history
from modelstream.cli.flows import opened
from modelstream.cli.publishing import parted, tell_verdict
from modelstream.cli.sentences import of_event
from modelstream.cli.show import print_json, print_line, print_table
from modelstream.cli.text import when
from modelstream.errors import InvalidFlow
from modelstream.events import Drifted, Figures, Measured, Released


def release(arguments: Namespace) -> int:
    """Start a release, end the one that goes on, or show them all."""
    name, _, version = parted(arguments.version)
    if (arguments.do == "start") != bool(name):
        raise InvalidFlow(
            "say which version to release: modelstream release FLOW.toml start NAME@VERSION"
            if arguments.do == "start"
            else f"{arguments.do} names no version: one release goes on for a data type"
        )
    with opened(arguments.flow) as (flow, log):
        if arguments.do == "show":
            return _show(arguments, read_history(log, flow))
        if arguments.do == "start":
            position = publishing.release(
                log,
                flow,
                name,
                version,
                data_type=arguments.data_type,
                steps=arguments.steps,
                every=arguments.every,
                promote=arguments.promote_when,
                roll_back=arguments.roll_back_when,
            )
        else:
            position = publishing.end_release(
                log, flow, arguments.data_type, promote=arguments.do == "promote"
            )
        return tell_verdict(arguments, log, flow, position)


def _show(arguments: Namespace, history: History) -> int:
    chosen = {arguments.data_type} if arguments.data_type else None
    releases = [each for each in history.releases if not chosen or each.data_type in chosen]
    measured = [
        each for each in history.measured.values() if not chosen or each.data_type in chosen
    ]
    if arguments.json:
        print_json({"releases": releases, "measured": measured, "alarms": history.alarms})
        return 0
    for each in releases:
        _show_release(each)
    if not releases:
        print_line("no version was released step by step so far")
    for last in measured:
        _show_measured(last)
    show_alarms(history.alarms)
    return 0


def show_alarms(alarms: Sequence[Drifted]) -> None:
    """Print the columns that are far from their profiles."""
    for each in alarms:
        print_line(of_event(each))


def _show_release(event: Released) -> None:
    print_line(f"{when(event.at_ms)}  {of_event(event)}")
    if event.state in {"started", "stepped"}:
        ending = event.promote or f"after {event.every:,} records of the last step"
        print_line(f"    promoted: {ending}; rolled back: {event.roll_back or 'never'}")
    if event.evidence:
        _figures(event.evidence)


def _show_measured(event: Measured) -> None:
    print_line(f"{when(event.at_ms)}  {event.data_type}, measured since registry {event.window}")
    _figures(event.versions)


def _figures(told: Sequence[Figures]) -> None:
    metrics = list(dict.fromkeys(name for each in told for name in each.metrics))
    headings = ["version", ">records", ">errors", ">late", ">p50 ms", ">p99 ms", ">labels"]
    rows = [
        [
            f"{each.name}@{each.version}",
            f"{each.records:,}",
            f"{each.failures:,}",
            f"{each.late:,}",
            _number(each.p50_ms),
            _number(each.p99_ms),
            f"{each.labels:,}",
            *(_number(each.metrics.get(name)) for name in metrics),
        ]
        for each in told
    ]
    print_table("figures", [*headings, *(f">{name}" for name in metrics)], rows)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"
