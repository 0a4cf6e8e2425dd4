"""The demo itself: the whole story once, and what it does when something does not hold."""

import io
from collections.abc import Sequence
from pathlib import Path

import pytest
from rich.console import Console

import modelstream.demo
from modelstream.audit import verify
from modelstream.demo import program, run
from modelstream.demo.chapters import CHAPTERS, Chapter, first_model, last_record, records_wait
from modelstream.demo.story import Story
from modelstream.errors import ModelstreamError
from modelstream.flow import load_flow
from modelstream.log import open_log


def chapters(monkeypatch: pytest.MonkeyPatch, *acts: Chapter) -> None:
    monkeypatch.setattr(program, "CHAPTERS", acts)


def untrue(story: Story) -> None:
    story.need(False, "the sea is dry")


def unreached(story: Story) -> None:
    story.fact("this is not told")


def test_the_whole_story_holds_and_the_log_that_it_keeps_is_sound(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(keep=tmp_path / "kept", seconds=0.0, live=False) == 0
    told = capsys.readouterr().out
    for number, chapter in enumerate(CHAPTERS, start=1):
        assert f"{number}. {chapter.title}" in told
    assert "BROKEN" not in told
    assert "admitted tree@1: PMML" in told
    assert "refused logistic: invalid_model" in told
    assert "lacks 'texture_ratio'" in told
    assert "logistic@2 was rolled back" in told
    assert "modelstream verify" in told
    flow = load_flow(tmp_path / "kept" / "flow.toml")
    log = open_log(flow.log)
    try:
        report = verify(log, flow)
    finally:
        log.close()
    assert report.ok
    assert report.figures.rejects >= 2


def test_a_story_on_a_screen_ends_with_the_last_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chapters(
        monkeypatch,
        Chapter("Records wait", records_wait),
        Chapter("A model comes", first_model),
        Chapter("Every record answered", last_record),
    )
    console = Console(record=True, width=80, height=24, file=io.StringIO(), force_terminal=True)
    assert program.play(tmp_path, console, 0.0, live=True) == []
    last = console.export_text().split("╭")[-1]
    assert "✓ Every record answered" in last
    assert "tree@1 pmml" in last
    assert "dead letters" in last


def test_what_does_not_hold_is_told_and_is_the_exit_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    chapters(
        monkeypatch,
        Chapter("Records wait", records_wait),
        Chapter("Untrue", untrue),
        Chapter("Unreached", unreached),
    )
    assert run(seconds=0.0, live=False) == 1
    told = capsys.readouterr().out
    assert "BROKEN: the sea is dry" in told
    assert "BROKEN: Untrue: the story cannot go on from here" in told
    assert "this is not told" not in told
    assert "All of it held" not in told


def test_the_directory_is_gone_unless_it_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Path] = []

    def play(directory: Path, *_: object, **__: object) -> Sequence[str]:
        (directory / "flow.toml").write_text("")
        made.append(directory)
        return []

    monkeypatch.setattr(program, "play", play)
    assert run(live=False) == 0
    assert run(keep=tmp_path / "new", live=False) == 0
    assert not made[0].exists()
    assert made[1] == tmp_path / "new"
    assert made[1].exists()


def test_a_directory_in_use_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    with pytest.raises(ModelstreamError, match="not empty"):
        run(keep=tmp_path, live=False)
    with pytest.raises(ModelstreamError, match="cannot use"):
        run(keep=tmp_path / "mine", live=False)
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_missing_packages_are_named_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(modelstream.demo, "find_spec", lambda name: None if name == "onnx" else 1)
    with pytest.raises(ModelstreamError, match=r"needs onnx .* pip install 'modelstream\[demo\]'"):
        run(live=False)
