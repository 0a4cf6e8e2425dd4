"""Directories as archives."""

import io
import os
import tarfile
from pathlib import Path

import pytest

from modelstream import limits
from modelstream.errors import InvalidModel
from modelstream.formats import limits as format_limits
from modelstream.formats.packing import is_model_directory, pack_directory

FILES = {"saved_model.pb": b"graph", "variables/a": b"1", "variables/b": b"2", "assets/x/y": b""}


def make(path: Path, names: list[str]) -> Path:
    for name in names:
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(FILES[name])
    return path


def test_equal_directories_give_equal_bytes(tmp_path: Path) -> None:
    one = make(tmp_path / "one", list(FILES))
    other = make(tmp_path / "other", list(reversed(FILES)))
    os.utime(other / "saved_model.pb", (0, 0))
    (other / "variables" / "a").chmod(0o600)
    assert pack_directory(one) == pack_directory(other)
    with tarfile.open(fileobj=io.BytesIO(pack_directory(one))) as archive:
        assert archive.getnames() == sorted(FILES)


def test_a_directory_is_a_model_where_a_graph_is(tmp_path: Path) -> None:
    assert not is_model_directory(tmp_path)
    assert not is_model_directory(tmp_path / "missing")
    assert is_model_directory(make(tmp_path / "model", ["saved_model.pb"]))
    assert not is_model_directory(tmp_path / "model" / "saved_model.pb")


def test_links_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    model = make(tmp_path / "model", ["saved_model.pb"])
    (model / "folder").symlink_to(tmp_path)
    with tarfile.open(fileobj=io.BytesIO(pack_directory(model))) as archive:
        assert archive.getnames() == ["saved_model.pb"]
    (model / "link").symlink_to(tmp_path / "secret")
    with pytest.raises(OSError, match="link"):
        pack_directory(model)


def test_a_pipe_is_refused_and_nobody_waits_for_it(tmp_path: Path) -> None:
    model = make(tmp_path / "model", ["saved_model.pb"])
    os.mkfifo(model / "pipe")
    with pytest.raises(InvalidModel, match=r"'pipe' in .* is no regular file"):
        pack_directory(model)


def test_too_much_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = make(tmp_path / "model", list(FILES))
    monkeypatch.setattr(limits, "ARTIFACT_BYTES_MAX", 6)
    with pytest.raises(InvalidModel, match="too large"):
        pack_directory(model)
    monkeypatch.undo()
    monkeypatch.setattr(format_limits, "SAVED_MODEL_FILES_MAX", 3)
    with pytest.raises(InvalidModel, match="at most 3 files"):
        pack_directory(model)


def test_a_name_that_no_archive_can_have_is_refused(tmp_path: Path) -> None:
    (tmp_path / ("x" * 200)).write_bytes(b"")
    with pytest.raises(InvalidModel, match="cannot be packed"):
        pack_directory(tmp_path)


def test_a_directory_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="missing"):
        pack_directory(tmp_path / "missing")
