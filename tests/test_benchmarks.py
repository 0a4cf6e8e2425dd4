"""Each benchmark runs in its quick form and tells figures that can be true; never how fast it was."""

import json
import math
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
import pytest

import modelstream as ms
from benchmarks import (
    consensus,
    deadline,
    join,
    latency,
    log,
    many,
    measure,
    peers,
    pfa,
    pmml,
    swap,
    swaps_by_format,
    trees,
)
from benchmarks.__main__ import main
from benchmarks.by_hand import BATCH, ByHand, Plainly
from benchmarks.measure import Figure, Report, Slice
from benchmarks.pmml_engines import Refused, check
from benchmarks.pmml_models import models
from benchmarks.pmml_table import some_audits
from benchmarks.workload import FEATURES, boosted_trees, republished, some_records
from modelstream.formats.base import Hints
from modelstream.formats.pmml import PmmlFormat

QUICK = {
    "join": join,
    "log": log,
    "latency": latency,
    "many": many,
    "deadline": deadline,
    "consensus": consensus,
}


@pytest.mark.parametrize("name", QUICK)
def test_a_benchmark_tells_figures(name: str) -> None:
    report = QUICK[name].run(quick=True)
    assert report.name == name
    check_sane(report)


def test_swaps_lose_nothing_and_keep_the_order_of_the_registry() -> None:
    report = swap.run(quick=True)
    assert report.value("records answered") > 0
    assert report.value("versions that answered") == 6
    for what in (
        "records lost",
        "records rejected",
        "results out of order, or twice",
        "versions not in the registry's order",
    ):
        assert report.value(what) == 0, what


def test_swaps_of_a_format_leave_nothing_behind() -> None:
    report = swaps_by_format.run(quick=True)
    assert [each.value for each in report.figures if each.goal == 0] == [0, 0, 0]
    assert len(report.figures) == 4


def test_pfa_is_measured_without_its_peer() -> None:
    report = pfa.run(quick=True, peers=False)
    assert report.name == "pfa"
    check_sane(report)


@pytest.mark.peers
def test_titus2_gives_the_same_answers() -> None:
    check_sane(pfa.run(quick=True))


@pytest.mark.peers
def test_the_tree_libraries_give_the_same_answers() -> None:
    report = trees.run(quick=True)
    check_sane(report)
    assert sum("largest difference" in note for note in report.notes) == len(trees.LIBRARIES)


@pytest.mark.peers
def test_peers_do_the_same_job() -> None:
    check_sane(peers.run(quick=True))


def test_pmml_is_measured_without_its_peers() -> None:
    report = pmml.run(quick=True, peers=())
    assert report.name == "pmml"
    check_sane(report)


@pytest.mark.peers
def test_pmml_peers_give_the_same_answers() -> None:
    report = pmml.run(quick=True)
    check_sane(report)
    told = [figure.what for figure in report.figures]
    assert sum("speed / jpmml" in what for what in told) == 2 * len(models(quick=True))
    assert not [note for note in report.notes if "jpmml" in note and "wrong" in note]


def test_the_pmml_of_the_benchmark_answers_what_scikit_learn_does() -> None:
    table = some_audits(60, seed=11).whole()
    for name, made in models(quick=True).items():
        model = PmmlFormat().load(PmmlFormat().lower(made.document, Hints()))
        columns = {each: np.array(values, dtype=object) for each, values in table.columns.items()}
        chances = model.score(columns)["probability(1)"]
        assert chances == pytest.approx(made.chances(table), abs=1e-9), name


def test_an_engine_that_answers_otherwise_is_refused() -> None:
    mine: list[dict[str, object]] = [{"y": 1.0, "kind": "a"}, {"y": None, "kind": "b"}]
    check(mine, [{"y": 1.0 + 1e-9}, {"y": None}])
    with pytest.raises(Refused, match=r"y of row 0 is 1\.1"):
        check(mine, [{"y": 1.1}, {"y": None}])
    with pytest.raises(Refused, match="kind of row 1"):
        check(mine, [{"kind": "a"}, {"kind": "a"}])
    with pytest.raises(Refused, match="it answers z"):
        check(mine, [{"z": 1.0}, {"z": 1.0}])


@pytest.mark.parametrize("kind", [ByHand, Plainly])
def test_the_hand_written_loops_answer_what_the_join_answers(kind: type[ByHand]) -> None:
    values = some_records(BATCH)
    model = ms.ModelDescriptor(
        name="trees", data=boosted_trees(), format="onnx", feature_names=FEATURES
    )
    joined = [msgspec.json.decode(msgspec.json.encode(each)) for each in ms.join(values, [model])]
    by_hand = [msgspec.json.decode(each) for each in kind(boosted_trees(), FEATURES).answer(values)]
    assert [without_clock(each) for each in by_hand] == [without_clock(each) for each in joined]


def test_the_hand_written_loop_answers_one_record_as_it_answers_many() -> None:
    values = some_records(20)
    limit = ByHand(boosted_trees(), FEATURES)
    alone = [limit.answer_one(value, offset) for offset, value in enumerate(values)]
    together = limit.answer(values)
    assert len(together) == len(alone) == 20
    for one, other in zip(alone, together, strict=True):
        first, second = (without_clock(msgspec.json.decode(each)) for each in (one, other))
        assert first.pop("outputs") == pytest.approx(second.pop("outputs"))
        assert first == second


def test_a_republished_model_is_another_version_of_the_same_model() -> None:
    first, second = (republished(boosted_trees(), number) for number in (1, 2))
    assert first != second
    values = some_records(5)
    answers = [
        [json.loads(each)["outputs"] for each in ByHand(data, FEATURES).answer(values)]
        for data in (first, second)
    ]
    assert answers[0] == answers[1]


def test_sides_take_turns_and_the_first_round_is_not_counted() -> None:
    order: list[str] = []

    def side(name: str, seconds: float) -> Callable[[], Slice]:
        def run() -> Slice:
            order.append(name)
            return Slice(1000, seconds)

        return run

    told = measure.interleave({"a": side("a", 0.002), "b": side("b", 0.003)}, rounds=2)
    assert order == ["b", "a", "a", "b", "b", "a"]
    assert told == {"a": [2.0, 2.0], "b": [3.0, 3.0]}
    figure = measure.ratio("b", "a", told, 1.2)
    assert (figure.what, figure.value, figure.goal) == ("b / a", 1.5, 1.2)


def test_the_command_writes_what_it_shows(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    figures = (Figure("a / b", 1.25, "x", 1.2, 1.3, 1.1), Figure("lost", 0, "", goal=0))
    monkeypatch.setattr(
        join, "run", lambda *, quick: Report("join", "told", figures, (f"quick {quick}",))
    )
    assert main(["join", "--quick", "--json", str(tmp_path / "figures.json")]) == 0
    shown = capsys.readouterr().out
    assert "1.25 x" in shown
    assert "<= 1.10 MISSED" in shown
    assert "<= 0 met" in shown
    assert "quick True" in shown
    told = json.loads((tmp_path / "figures.json").read_text())
    assert told["benchmarks"][0]["figures"][0]["value"] == 1.25
    assert told["machine"]["python"]


def test_the_command_refuses_a_benchmark_that_is_not_there(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["jion"])
    assert "use join, log, " in capsys.readouterr().err


def without_clock(result: dict[str, object]) -> dict[str, object]:
    """Return a result without what differs from run to run."""
    model = result["model"]
    assert isinstance(model, dict)
    kept = {key: value for key, value in model.items() if key != "took_us"}
    return {key: value for key, value in result.items() if key != "timestamp"} | {"model": kept}


def check_sane(report: Report) -> None:
    """Check that every figure is a number that could have been measured."""
    assert report.figures
    for each in report.figures:
        assert math.isfinite(each.value), each
        # What a process grew by can be below nothing where it had done other work before; a share can be 0.
        assert each.value > 0 or each.unit in {"kB/model", "%"}, each
        if each.low is not None and each.high is not None:
            assert each.low <= each.value <= each.high, each
