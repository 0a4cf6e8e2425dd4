"""Verbs that check: `lint`, `explain`, `verify`, `replay`. A finding is exit code 1."""

from argparse import Namespace

from modelstream import audit
from modelstream.cli import reports
from modelstream.cli.flows import opened
from modelstream.cli.lint import findings
from modelstream.cli.show import print_json, print_line, progress_of
from modelstream.messages import VersionId


def lint(arguments: Namespace) -> int:
    """Check a flow.toml; each finding is told with its line and its fix."""
    found = findings(arguments.flow)
    if arguments.json:
        print_json({"findings": [each._asdict() for each in found]})
    else:
        for where, what in found:
            print_line(f"{where}: {what}")
        if not found:
            print_line(f"{arguments.flow}: nothing to find fault with")
    return 1 if found else 0


def explain(arguments: Namespace) -> int:
    """Tell why a record has its answer, and score it again."""
    with opened(arguments.flow) as (flow, log):
        found = audit.explain(log, flow, arguments.where, rescore=not arguments.no_rescore)
    if arguments.json:
        print_json(found.to_plain())
    else:
        reports.show_explanation(found)
    return 1 if found.findings else 0


def verify(arguments: Namespace) -> int:
    """Check the invariants."""
    rescore = not arguments.no_rescore
    with opened(arguments.flow) as (flow, log), progress_of("verifying") as progress:
        report = audit.verify(log, flow, rescore=rescore, progress=progress)
    if arguments.json:
        print_json(report.to_plain())
    else:
        reports.show_verification(report, rescored=rescore)
    return 0 if report.ok else 1


def replay(arguments: Namespace) -> int:
    """Score records again; that another version answers otherwise is no finding."""
    version = None
    if arguments.version is not None:
        name, _, number = arguments.version.rpartition("@")
        version = VersionId(name, number)
    with opened(arguments.flow) as (flow, log), progress_of("scoring again") as progress:
        report = audit.replay(
            log,
            flow,
            version=version,
            start=arguments.start,
            end=arguments.end,
            since_ms=arguments.since,
            until_ms=arguments.until,
            data_type=arguments.data_type,
            limit=arguments.limit,
            progress=progress,
        )
    if arguments.json:
        print_json(report.to_plain())
    else:
        reports.show_replay(report)
    as_before = report.records == report.changes["equal"] and not report.unavailable
    return 0 if version is not None or as_before else 1
