"""Unpack a SavedModel that came as one archive, zip or tar, without trusting it.

Only the files that a SavedModel consists of may be in it, below one directory or none.
"""

import encodings.cp437  # noqa: F401 - for names in zips: a confined child can import nothing later
import io
import re
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator

from modelstream import limits
from modelstream.errors import InvalidModel, UnsupportedModel
from modelstream.formats import limits as format_limits

GRAPH = "saved_model.pb"
_PARTS = re.compile(
    r"saved_model\.pb|fingerprint\.pb|keras_metadata\.pb"
    r"|variables/[^/]+|assets/(?:[^/]+/)*[^/]+|assets\.extra/(?:[^/]+/)*[^/]+"
)
_ZIP, _ZIP_ENTRY, _GZIP = b"PK\x03\x04", b"PK\x01\x02", b"\x1f\x8b"
_TAR_MAGIC = slice(257, 262)
_BLOCK_BYTES = 1 << 20
_ZIP_METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_ENCRYPTED = 1  # a flag of a zip's entry
_LINK, _KIND = 0o120000, 0o170000  # of a file's mode, which a zip keeps in the upper half


def is_archive(data: bytes) -> bool:
    """Tell by the first bytes, and in an archive that is not compressed whole by a name."""
    if data.startswith(_GZIP):
        return True
    return (data.startswith(_ZIP) or data[_TAR_MAGIC] == b"ustar") and GRAPH.encode() in data


def unpack(data: bytes) -> dict[str, bytes]:
    """Return the files by their names in a SavedModel. Raises InvalidModel, UnsupportedModel."""
    if data.startswith(_GZIP):
        data = _gunzipped(data)
    try:
        members = _zipped(data) if data.startswith(_ZIP) else _tarred(data)
        files = _collected(members)
    # The readers of both formats say in many ways that an archive is not one.
    except (
        zipfile.BadZipFile,
        tarfile.TarError,
        zlib.error,
        struct.error,
        ArithmeticError,
        EOFError,
        LookupError,
        OSError,
        RuntimeError,
        ValueError,
    ) as error:
        raise InvalidModel(f"the archive cannot be read: {error}") from None
    return _below_root(files)


def _collected(members: Iterator[tuple[str, bytes]]) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    size = 0
    for name, content in members:
        if name in files:
            raise InvalidModel(f"the archive has {name!r} twice")
        files[name] = content
        size += len(content)
        if len(files) > format_limits.SAVED_MODEL_FILES_MAX:
            raise InvalidModel(
                f"more than {format_limits.SAVED_MODEL_FILES_MAX} files in the archive"
            )
        if size > limits.ARTIFACT_BYTES_MAX:
            raise _too_large()
    return files


def _below_root(files: dict[str, bytes]) -> dict[str, bytes]:
    """Return the files by their names below the directory in which the graph is."""
    graphs = [name for name in files if name == GRAPH or name.endswith(f"/{GRAPH}")]
    if len(graphs) != 1:
        raise InvalidModel(
            f"the archive has {len(graphs)} files {GRAPH!r}; it must have one, as an archive of "
            "the directory of a SavedModel does"
        )
    root = graphs[0].removesuffix(GRAPH)
    for name in files:
        if not name.startswith(root) or not _PARTS.fullmatch(name.removeprefix(root)):
            raise InvalidModel(f"{name[:200]!r} in the archive is no part of a SavedModel")
    return {name.removeprefix(root): content for name, content in files.items()}


def _zipped(data: bytes) -> Iterator[tuple[str, bytes]]:
    # The reader makes an object of each entry before it lets anybody count them.
    if data.count(_ZIP_ENTRY) > 2 * format_limits.SAVED_MODEL_FILES_MAX:
        raise InvalidModel(f"more than {format_limits.SAVED_MODEL_FILES_MAX} files in the archive")
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for entry in archive.infolist():
            mode = entry.external_attr >> 16
            if entry.compress_type not in _ZIP_METHODS or entry.flag_bits & _ENCRYPTED:
                raise UnsupportedModel("the archive is encrypted, or compressed in a rare way")
            if mode & _KIND == _LINK:
                raise InvalidModel(f"{entry.filename[:200]!r} in the archive is a link")
            if entry.filename.endswith("/"):
                continue
            if entry.file_size > limits.ARTIFACT_BYTES_MAX:
                raise _too_large()
            with archive.open(entry) as file:
                # What an entry says of its size need not be true.
                yield _safe(entry.filename), file.read(limits.ARTIFACT_BYTES_MAX + 1)


def _tarred(data: bytes) -> Iterator[tuple[str, bytes]]:
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as archive:
        for entry in archive:
            if entry.isdir():
                continue
            if not entry.isreg() or entry.issparse():
                raise InvalidModel(f"{entry.name[:200]!r} in the archive is no regular file")
            file = archive.extractfile(entry)
            yield _safe(entry.name), b"" if file is None else file.read()


def _safe(name: str) -> str:
    """Return a name as it is below the archive's root; nothing is ever written under it."""
    name = name.removeprefix("./")
    if name.startswith("/") or "\\" in name or "\0" in name or ".." in name.split("/"):
        raise InvalidModel(f"{name[:200]!r} in the archive leads out of it")
    return name


def _gunzipped(data: bytes) -> bytes:
    parts: list[bytes] = []
    size = 0
    reader = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    try:
        while data and not reader.eof:
            parts.append(reader.decompress(data, _BLOCK_BYTES))
            data = reader.unconsumed_tail
            size += len(parts[-1])
            if size > limits.ARTIFACT_BYTES_MAX:
                raise _too_large()
    except zlib.error as error:
        raise InvalidModel(f"the archive cannot be read: {error}") from None
    if not reader.eof:
        raise InvalidModel("the archive is cut short")
    return b"".join(parts)


def _too_large() -> InvalidModel:
    return InvalidModel(
        f"the archive has more than {limits.ARTIFACT_BYTES_MAX} bytes once it is unpacked"
    )
