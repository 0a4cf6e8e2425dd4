"""The reports of an audit as people read them: an explanation, a verification, a replay."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from modelstream.audit.compare import OutputChange
from modelstream.audit.explanation import CandidateFacts, Explanation, ModelFacts
from modelstream.audit.history import Moment
from modelstream.audit.replayed import ReplayReport
from modelstream.audit.report import Finding, Report
from modelstream.cli.show import print_facts, print_line, print_table
from modelstream.cli.text import counted, duration, size, when
from modelstream.messages import Failure

_VERDICTS = {"same": "the same answer", "different": "another answer"}
_CHANGES = {
    "equal": "the same outcome",
    "different": "another answer",
    "rejected": "rejected, was answered",
    "answered": "answered, was rejected",
    "reason": "rejected for another reason",
}
# Pairs of labels that a line names.
_PAIRS_SHOWN_MAX = 5


def show_explanation(found: Explanation) -> None:
    """Print one record and everything that made its answer."""
    print_facts(str(found.position), list(_facts(found)))
    _print_findings(found.findings)


def show_verification(report: Report, *, rescored: bool) -> None:
    """Print which invariants hold."""
    figures = report.figures
    print_line(
        f"{report.flow}: {counted(figures.records, 'record')}, "
        f"{counted(figures.results, 'result')}, {counted(figures.rejects, 'reject')}, "
        f"by {counted(figures.versions, 'version')}; {figures.rescored:,} scored again"
    )
    rows = []
    for invariant, count in report.counts.items():
        skipped = invariant == "reproducible" and not rescored
        holds = "not checked" if skipped else counted(count, "finding") if count else "holds"
        rows.append([invariant.replace("_", " "), holds])
    print_line("")
    print_table("", ["invariant", "state"], rows)
    if figures.not_rescored:
        outcomes = counted(figures.not_rescored, "outcome")
        print_line(f"{outcomes} could not be scored again: the version cannot be loaded")
    if figures.remote:
        outcomes = counted(figures.remote, "outcome")
        print_line(f"{outcomes} came from a server: they cannot be scored again from the topics")
    if figures.removed or figures.outcomes_removed:
        gone = figures.removed + figures.outcomes_removed
        print_line(f"{counted(gone, 'record')} could not be checked in full: deleted by retention")
    _print_findings(report.findings)


def show_replay(report: ReplayReport) -> None:
    """Print what became of the records, and how far the outputs moved."""
    by = "each with its own version" if report.version is None else f"with {report.version}"
    print_line(f"{report.flow}: {counted(report.records, 'record')} scored again, {by}")
    rows = [[_CHANGES[each], f"{count:,}"] for each, count in report.changes.items() if count]
    rows += [["no outcome yet", f"{report.without_outcome:,}"]] if report.without_outcome else []
    rows += [["not scored again", f"{report.not_rescored:,}"]] if report.not_rescored else []
    print_line("")
    print_table("", ["outcome", ">records"], rows)
    if report.outputs:
        print_line("")
        headings = ["output", ">compared", ">changed", ">mean change", ">largest", "labels"]
        print_table("", headings, [_output_row(each) for each in report.outputs])
    for version, reason in report.unavailable.items():
        print_line(f"{version} cannot be had: {reason}")
    if report.sample:
        print_line("")
    for each in report.sample:
        before, now = _answer(each.recorded), _answer(each.replayed)
        print_line(f"{each.position}: {_CHANGES[each.change]}: {before} -> {now}")


def _facts(found: Explanation) -> Iterator[tuple[str, str]]:
    if found.key is not None:
        others = f" (and {counted(found.others, 'other message')} with it)" if found.others else ""
        yield "key", f"{found.key}{others}"
    yield "time", f"{when(found.timestamp)} UTC"
    yield "record", "deleted by retention" if found.timestamp is None else _json(found.record)
    if found.outcome is None:
        yield "outcome", f"none yet; its partition is answered up to {found.committed}"
    else:
        took = "" if found.took_us is None else f" in {duration(found.took_us)}"
        as_of = f"as of {found.as_of} of the registry{took}"
        yield "outcome", f"{found.outcome} at {found.outcome_at}, {as_of}"
    if found.failure is not None:
        yield "reason", _answer(found.failure)
    if found.outputs is not None:
        yield "outputs", _json(found.outputs)
    yield "data type", found.data_type or "-"
    if found.model is not None:
        yield from _model_facts(found.model)
    if found.policy:
        yield "policy", found.policy
    for each in found.candidates:
        yield "winner" if each.won else "candidate", _candidate(each)
    yield "current then", str(found.current_then or "nothing")
    yield "current now", f"{found.current_now or 'nothing'} (as of {found.registry_last})"
    yield from _again(found)


def _again(found: Explanation) -> Iterator[tuple[str, str]]:
    """Tell what scoring it again gave."""
    if found.inputs is not None:
        yield "inputs", _json(found.inputs)
    if found.rescored is not None:
        yield "scored again", f"{_VERDICTS.get(found.verdict, '-')}: {_answer(found.rescored)}"
    elif found.why_not:
        yield "scored again", f"no: {found.why_not}"


def _candidate(each: CandidateFacts) -> str:
    if each.late:
        return f"{each.version}: had not answered"
    said = _answer(each.said) if each.said is not None else "-"
    return f"{each.version}: {said} in {duration(each.took_us)}"


def _model_facts(model: ModelFacts) -> Iterator[tuple[str, str]]:
    what = f"{model.format}, {size(model.size)}, sha-256 {model.digest}"
    yield "model", f"{model.version} ({what})"
    if model.description:
        yield "description", model.description
    if model.metrics:
        yield "metrics", _json(model.metrics)
    publisher = f" by {model.publisher}" if model.publisher else ""
    yield "published", f"{when(model.created_at_ms)} at {model.published}{publisher}"
    moments: tuple[tuple[str, Moment | None], ...] = (
        ("admitted", model.admitted),
        ("promoted", model.promoted),
        ("retired", model.retired),
    )
    for name, moment in moments:
        if moment is not None:
            yield name, f"{when(moment.at_ms)} at {moment.position} of the registry"


def _output_row(change: OutputChange) -> list[str]:
    counts = [change.name, f"{change.compared:,}", f"{change.changed:,}"]
    if change.kind == "number":
        return [*counts, _number(change.mean), _number(change.largest), ""]
    moved = [pair for pair in change.pairs if pair.old != pair.new][:_PAIRS_SHOWN_MAX]
    pairs = ", ".join(f"{pair.old} -> {pair.new}: {pair.count:,}" for pair in moved)
    return [*counts, "-", "-", pairs]


def _print_findings(findings: tuple[Finding, ...]) -> None:
    for each in findings:
        print_line(f"{each.invariant.replace('_', ' ')}: {each.position}: {each.detail}")


def _answer(answer: Mapping[str, Any] | Failure) -> str:
    if isinstance(answer, Failure):
        return f"{answer.reason}: {answer.detail}"
    return _json(answer)


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"
