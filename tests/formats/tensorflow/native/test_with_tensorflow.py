"""Models in TensorFlow itself, in an environment of their own: the same scores, or a reason."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from benchmarks.environments import python_of

pytestmark = pytest.mark.peers
ROOT = Path(__file__).parents[4]


def ran(name: str, place: Path, data: Path) -> Any:
    """Do one run of `tests.support.tensorflow_native`; return what it tells."""
    environment = {name: text for name, text in os.environ.items() if not name.startswith("PYTHON")}
    process = subprocess.run(
        [python_of("tensorflow"), "-m", "tests.support.tensorflow_native", name, place, data],
        cwd=ROOT,
        env=environment | {"PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"},
        stdout=subprocess.PIPE,
        check=True,
    )
    return json.loads(process.stdout.splitlines()[-1])


def test_wines_have_the_same_scores_with_tensorflow_and_without(
    shared_data: Path, tmp_path: Path
) -> None:
    for shape, difference, same_type in ran("wine", tmp_path, shared_data):
        assert shape == [1599, 9]
        assert difference < 1e-6
        assert same_type


def test_half_plus_two_answers_numbers_and_examples(shared_data: Path, tmp_path: Path) -> None:
    told = ran("half_plus_two", tmp_path, shared_data)
    assert told["serving_default"] == [2.0, 2.5, 3.0]
    assert told["regress_x_to_y"] == [2.0, 2.5, 3.0]
    assert told["regress_x_to_y2"] == [3.0, 3.5, 4.0]
    assert told["error"] == "TensorFlow: Could not parse example input, value: 'no example'"


def test_what_keras_exports_is_rewritten_or_run_by_tensorflow(tmp_path: Path) -> None:
    told = ran("keras", tmp_path, tmp_path)
    assert not told["native"]
    assert told["difference"] < 1e-5
    assert told["looked up natively"]
    assert told["words"] == [2.5, 1.5, 0.5]


def test_a_stream_goes_on_while_its_models_process_is_killed(tmp_path: Path) -> None:
    told = ran("stream", tmp_path, tmp_path)
    assert told["killed"] > 0
    assert (told["answered"], told["results"]) == (3_000, 3_000)
    assert told["classes"] == 10
    assert told["events"] == ["admitted", "promoted", "rejected"]
    assert "run by nothing here" in told["refused"][0]
    assert not told["imported here"]


def test_a_graph_without_an_end_is_ended_and_the_next_batch_answered(tmp_path: Path) -> None:
    first, second, third = ran("hang", tmp_path, tmp_path)
    assert (first, third) == ([0.0], [0.0])
    assert "did not answer within 1 s" in second
