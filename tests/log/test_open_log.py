"""Which log a url opens."""

from pathlib import Path

import pytest

from modelstream.errors import LogError
from modelstream.log import open_log
from modelstream.messages import Outgoing


def test_memory_is_a_new_log_each_time() -> None:
    log = open_log("memory:")
    log.create_topic("a")
    assert log.url == "memory:"
    assert open_log("memory:").topics() == {}


@pytest.mark.parametrize("durability", ["process", "power"])
def test_a_file_log_stays_and_its_url_opens_it_from_anywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, durability: str
) -> None:
    monkeypatch.chdir(tmp_path)
    log = open_log("file:./data", durability=durability)  # type: ignore[arg-type]
    log.create_topic("a")
    log.append(Outgoing("a", [b"x"]))
    log.close()
    monkeypatch.chdir("/")
    again = open_log(log.url)
    assert list(again.read("a", 0, 0, 1, 100).values) == [b"x"]
    again.close()
    absolute = open_log(f"file://{tmp_path}/data")
    assert list(absolute.topics()) == ["a"]
    absolute.close()


@pytest.mark.parametrize(
    ("url", "advice"),
    [
        ("file:", "write file:DIRECTORY"),
        ("file://host/data", "write file:DIRECTORY"),
        ("./data", "write file:DIRECTORY"),
        ("memory:x", "write file:DIRECTORY"),
        ("", "write file:DIRECTORY"),
    ],
)
def test_any_other_url_is_refused_with_what_to_write(url: str, advice: str) -> None:
    with pytest.raises(LogError, match=advice):
        open_log(url)
