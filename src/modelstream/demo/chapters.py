"""The chapters, in order: what happens to the flow, and what must be so because of it."""

from collections.abc import Callable
from typing import NamedTuple

from modelstream.audit import explain, verify
from modelstream.demo.story import Story, Verdict
from modelstream.demo.train import ANSWER, train_logistic, train_tree, with_ratio
from modelstream.demo.watch import Tally, Window
from modelstream.demo.world import recalibrated
from modelstream.events import Planned, Promoted, Rejected, RolledBack, version_of
from modelstream.messages import VersionId
from modelstream.policies import FirstWithin, Majority, Model, policy_text
from modelstream.publishing import plan, promote, rollback

TREE = VersionId("tree", "1")
LOGISTIC = VersionId("logistic", "1")
RETRAINED = VersionId("logistic", "2")
# One of the voters measures in the wrong unit; where the vote is late, the best one answers.
_VOTE = FirstWithin(
    200, (Majority((Model("logistic"), Model("tree"), Model("logistic@1"))), Model("logistic"))
)

# A good model, a useful one, and one that measures in the wrong unit; a guess is right for 0.63.
_GOOD_MIN = 0.93
_USEFUL_MIN = 0.85
_WRONG_MAX = 0.60


class Chapter(NamedTuple):
    """A title, and what happens."""

    title: str
    act: Callable[[Story], None]


def records_wait(story: Story) -> None:
    """Let records come before there is any model."""
    fields = len(story.train.names)
    story.fact(f"a record is {fields} measurements of a patient's cells: benign or malignant?")
    waiting = story.pace // 4
    story.until(lambda: len(story.producer.truth) >= waiting, f"{waiting} records")
    story.check(
        not story.watch.outcomes,
        f"{len(story.producer.truth):,} records wait for a model: none is answered, none is lost",
    )


def first_model(story: Story) -> None:
    """Publish a decision tree, as PMML."""
    verdict = story.publish("tree.pmml", train_tree(story.train), "tree")
    _check_admitted(story, verdict, TREE)
    _check_at_least(story, story.answers(Window(TREE, recalibrated=False)), TREE, _USEFUL_MIN)


def better_model(story: Story) -> None:
    """Publish a better model, in another format; it takes over between two batches."""
    artifact = train_logistic(story.train)
    verdict = story.publish("logistic.onnx", artifact, "logistic", story.train.names)
    _check_admitted(story, verdict, LOGISTIC)
    _check_at_least(story, story.answers(Window(LOGISTIC, recalibrated=False)), LOGISTIC, _GOOD_MIN)


def world_changes(story: Story) -> None:
    """Measure the same patients in other units, without telling the model."""
    story.producer.recalibrated = True
    story.fact("the microscope tells lengths in units half as long; areas come out fourfold")
    _check_at_most(story, story.answers(Window(LOGISTIC, recalibrated=True)), LOGISTIC, _WRONG_MAX)


def bad_models(story: Story) -> None:
    """Publish a file that was cut off, and a model that reads a field no record has."""
    data = recalibrated(story.train)
    cut = train_logistic(data)
    _check_refused(
        story,
        story.publish("cut-off.onnx", cut[: len(cut) // 2], "logistic", data.names),
        "a file that was cut off",
    )
    skewed = with_ratio(data)
    verdict = story.publish("skewed.onnx", train_logistic(skewed), "logistic", skewed.names)
    _check_refused(story, verdict, "a model that reads a field no record has")
    since = max(verdict)
    tally = story.answers(Window(LOGISTIC, recalibrated=True, since=since))
    story.check(
        tally.total >= story.pace,
        f"{LOGISTIC} went on: {tally.total:,} answers since (as of registry offset {since})",
    )


def retrained_model(story: Story) -> None:
    """Measure the training half again, and publish a model trained on that."""
    artifact = train_logistic(recalibrated(story.train))
    story.fact("the training half was measured again, and a model trained on that")
    verdict = story.publish("retrained.onnx", artifact, "logistic", story.train.names)
    _check_admitted(story, verdict, RETRAINED)
    _check_at_least(
        story, story.answers(Window(RETRAINED, recalibrated=True)), RETRAINED, _GOOD_MIN
    )


def back_and_forth(story: Story) -> None:
    """Go back to the model before, see that it is the worse one, and return."""
    verdict = story.verdict(rollback(story.log, story.flow))
    left = [event for event in verdict.values() if isinstance(event, RolledBack)]
    story.need(bool(left), f"{RETRAINED} is left for the version before it")
    window = Window(LOGISTIC, recalibrated=True, since=max(verdict))
    _check_at_most(story, story.answers(window), LOGISTIC, _WRONG_MAX)
    verdict = story.verdict(promote(story.log, story.flow, *RETRAINED))
    story.need(_made_current(verdict) == [RETRAINED], f"{RETRAINED} is current again")
    window = Window(RETRAINED, recalibrated=True, since=max(verdict))
    _check_at_least(story, story.answers(window), RETRAINED, _GOOD_MIN)


def models_vote(story: Story) -> None:
    """Let three models vote, one of them wrong by its unit, with a deadline for all of it."""
    data = recalibrated(story.train)
    verdict = story.publish("tree-again.pmml", train_tree(data), "tree")
    _check_admitted(story, verdict, VersionId("tree", "2"))
    verdict = story.verdict(plan(story.log, story.flow, _VOTE))
    made = [event for event in verdict.values() if isinstance(event, Planned)]
    story.need(bool(made), f"from now on: {policy_text(_VOTE)}")
    version = VersionId("plan", made[0].version)
    tally = story.answers(Window(version, recalibrated=True, since=max(verdict)))
    _check_at_least(story, tally, version, _USEFUL_MIN)


def last_record(story: Story) -> None:
    """Stop the producer; every record must have its one outcome, whatever happened."""
    story.producing.end()
    truth, outcomes = story.producer.truth, story.watch.outcomes
    story.until(lambda: len(outcomes) >= len(truth), "an outcome of every record")
    story.serving.end()
    story.watch.poll()
    story.check(
        outcomes.keys() == truth.keys() and outcomes.total() == len(truth),
        f"each of {len(truth):,} records has one outcome: {outcomes.total():,} outcomes",
    )
    broken = {key for key, sent in truth.items() if sent.broken}
    story.check(
        story.watch.rejected == broken,
        f"{len(broken)} records were sent broken; those and no others are dead letters",
    )


def why_this_answer(story: Story) -> None:
    """Explain one of the answers that the recalibration made wrong, from the log alone."""
    key = story.watch.a_wrong_answer(LOGISTIC)
    story.need(key is not None, f"{LOGISTIC} has given wrong answers since the recalibration")
    assert key is not None
    told = explain(story.log, story.flow, key.decode())
    answer, truth = told.to_plain()["outputs"][ANSWER], story.producer.truth[key].diagnosis
    story.fact(f"{key.decode()}, {told.position}: {answer}, in truth {truth}")
    model = told.model
    story.need(
        model is not None and model.version == LOGISTIC and told.as_of is not None,
        f"{LOGISTIC} answered it, current as of registry offset {told.as_of}",
    )
    assert model is not None
    story.fact(f"that model: sha-256 {model.digest[:16]}, published at {model.published}")
    story.check(
        told.verdict == "same" and not told.findings,
        f"scored again with the bytes on the log, it gives the {told.verdict} answer",
    )


def verify_all(story: Story) -> None:
    """Check the invariants of the whole flow, from the log alone."""
    report = verify(story.log, story.flow)
    for finding in report.findings:
        story.fact(f"{finding.invariant}: {finding.position}: {finding.detail}")
    sent, figures = len(story.producer.truth), report.figures
    invariants = ", ".join(report.counts).replace("_", " ")
    story.check(
        report.ok and figures.records == sent <= figures.rescored,
        f"{sum(report.counts.values())} findings in {figures.records:,}: {invariants}",
    )


def _check_admitted(story: Story, verdict: Verdict, version: VersionId) -> None:
    made = _made_current(verdict)
    story.need(made == [version], f"{version} passed every check in a confined process")


def _made_current(verdict: Verdict) -> list[VersionId]:
    return [version_of(event) for event in verdict.values() if isinstance(event, Promoted)]


def _check_refused(story: Story, verdict: Verdict, what: str) -> None:
    refused = all(isinstance(event, Rejected) for event in verdict.values())
    story.need(refused, f"{what} is refused")


def _check_at_least(story: Story, tally: Tally, version: VersionId, share: float) -> None:
    story.check(
        tally.accuracy >= share,
        f"{version} is right for {_told(tally)}; at least {share:.0%} were expected",
    )


def _check_at_most(story: Story, tally: Tally, version: VersionId, share: float) -> None:
    story.check(
        tally.accuracy <= share,
        f"{version} is right for {_told(tally)}; at most {share:.0%} were expected",
    )


def _told(tally: Tally) -> str:
    return f"{tally.accuracy:.1%} of {tally.total:,} records"


CHAPTERS = (
    Chapter("Records wait for a model", records_wait),
    Chapter("A decision tree, as PMML", first_model),
    Chapter("A better model, as ONNX", better_model),
    Chapter("The world changes", world_changes),
    Chapter("Bad models are refused", bad_models),
    Chapter("A retrained model", retrained_model),
    Chapter("Roll back, promote again", back_and_forth),
    Chapter("Three models vote", models_vote),
    Chapter("Every record answered", last_record),
    Chapter("Explain one answer", why_this_answer),
    Chapter("Verify the whole log", verify_all),
)
