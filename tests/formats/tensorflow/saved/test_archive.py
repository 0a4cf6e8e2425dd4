"""Archives: what is taken out of them, and what they may not hold."""

import gzip
import io
import stat
import tarfile
import zipfile
from collections.abc import Callable, Mapping

import pytest

from modelstream import limits
from modelstream.errors import InvalidModel, UnsupportedModel
from modelstream.formats import limits as format_limits
from modelstream.formats.tensorflow.saved.archive import is_archive, unpack
from tests.support.tensorflow_saved import tarred, zipped

FILES = {
    "saved_model.pb": b"graph",
    "variables/variables.index": b"index",
    "variables/variables.data-00000-of-00001": b"data",
    "assets/words.txt": b"a",
    "fingerprint.pb": b"f",
    "keras_metadata.pb": b"k",
}
Pack = Callable[[Mapping[str, bytes]], bytes]
PACKS: dict[str, Pack] = {
    "zip": zipped,
    "stored zip": lambda files: zipped(files, zipfile.ZIP_STORED),
    "tar": tarred,
    "tar.gz": lambda files: tarred(files, "w:gz"),
}
packed = pytest.mark.parametrize("pack", PACKS.values(), ids=list(PACKS))


@packed
@pytest.mark.parametrize("root", ["", "./", "1/", "models/wine/1/"])
def test_all_files_are_there_whatever_directory_they_are_in(pack: Pack, root: str) -> None:
    data = pack({root + name: content for name, content in FILES.items()})
    assert is_archive(data)
    assert unpack(data) == FILES


@packed
@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("../x", "leads out"),
        ("", "no part of a SavedModel"),
        ("/etc/passwd", "leads out"),
        ("assets/../../x", "leads out"),
        ("assets\\x", "leads out"),
        ("model.py", "no part of a SavedModel"),
        ("variables/deep/x", "no part of a SavedModel"),
        ("more/saved_model.pb", "2 files 'saved_model.pb'"),
    ],
)
def test_a_name_that_has_no_place_is_refused(pack: Pack, name: str, reason: str) -> None:
    with pytest.raises(InvalidModel, match=reason):
        unpack(pack({**FILES, name: b"x"}))


@packed
def test_without_a_graph_it_is_no_model(pack: Pack) -> None:
    with pytest.raises(InvalidModel, match="has 0 files"):
        unpack(pack({"variables/variables.index": b""}))


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE]
)
def test_a_tar_holds_nothing_but_files(kind: bytes) -> None:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        entry = tarfile.TarInfo("variables/link")
        entry.type, entry.linkname = kind, "/etc/passwd"
        archive.addfile(entry)
    with pytest.raises(InvalidModel, match="'variables/link' in the archive is no regular file"):
        unpack(made.getvalue())


def test_a_zip_holds_no_links() -> None:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        entry = zipfile.ZipInfo("variables/link")
        entry.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(entry, "/etc/passwd")
    with pytest.raises(InvalidModel, match="is a link"):
        unpack(made.getvalue())


def test_a_zip_of_a_rare_kind_is_refused() -> None:
    with pytest.raises(UnsupportedModel, match="compressed in a rare way"):
        unpack(zipped(FILES, zipfile.ZIP_BZIP2))


def test_the_same_name_twice_is_refused() -> None:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        for _ in range(2):
            archive.addfile(tarfile.TarInfo("saved_model.pb"))
    with pytest.raises(InvalidModel, match=r"'saved_model\.pb' twice"):
        unpack(made.getvalue())


@packed
def test_too_many_files_are_refused(pack: Pack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(format_limits, "SAVED_MODEL_FILES_MAX", 5)
    with pytest.raises(InvalidModel, match="more than 5 files"):
        unpack(pack(FILES))


def test_a_zip_of_very_many_entries_is_refused_before_it_is_read() -> None:
    with pytest.raises(InvalidModel, match="more than 1000 files"):
        unpack(b"PK\x03\x04" + b"PK\x01\x02" * 2001)


@packed
def test_a_bomb_is_not_unpacked(pack: Pack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "ARTIFACT_BYTES_MAX", 4 << 20)
    data = pack({**FILES, "assets/bomb": bytes(8 << 20)})
    with pytest.raises(InvalidModel, match="once it is unpacked"):
        unpack(data)


def test_a_zip_that_lies_about_a_size_is_not_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "ARTIFACT_BYTES_MAX", 1 << 20)
    data = zipped({**FILES, "assets/bomb": bytes(8 << 20)})
    data = data.replace((8 << 20).to_bytes(4, "little"), (1 << 10).to_bytes(4, "little"))
    with pytest.raises(InvalidModel, match="cannot be read"):
        unpack(data)


def test_an_archive_that_is_cut_short_is_refused() -> None:
    for pack in PACKS.values():
        data = pack(FILES)
        with pytest.raises(InvalidModel):
            unpack(data[: min(len(data) // 2, 514)])


def test_other_bytes_are_no_archive() -> None:
    assert not is_archive(b"")
    assert not is_archive(zipped({"model.json": b"{}"}))
    assert not is_archive(tarred({"model.json": b"{}"}))
    with pytest.raises(InvalidModel):
        unpack(gzip.compress(b"text"))
    with pytest.raises(InvalidModel):
        unpack(b"text")
