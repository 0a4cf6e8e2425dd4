"""A model that is a directory, as one archive: equal directories give equal bytes.

Links are not followed, and nothing but regular files is read.
"""

import io
import os
import stat
import tarfile
from collections.abc import Iterator
from pathlib import Path

from modelstream import limits
from modelstream.errors import InvalidModel
from modelstream.formats import limits as format_limits

# What tells that a directory is a model: the graph of a SavedModel.
_MARK = "saved_model.pb"


def is_model_directory(path: Path) -> bool:
    """Tell whether a directory is a model, rather than one that has models in it."""
    return (path / _MARK).is_file()


def pack_directory(path: Path) -> bytes:
    """Return a tar archive of a directory's files. Raises InvalidModel, OSError."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, content in sorted(_bounded(path)):
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            try:
                archive.addfile(entry, io.BytesIO(content))
            except ValueError as error:
                raise InvalidModel(f"{name!r} cannot be packed: {error}") from None
    return packed.getvalue()


def _bounded(path: Path) -> Iterator[tuple[str, bytes]]:
    size = 0
    for count, (name, content) in enumerate(_files(path)):
        size += len(content)
        if count >= format_limits.SAVED_MODEL_FILES_MAX or size > limits.ARTIFACT_BYTES_MAX:
            raise InvalidModel(
                f"the directory {str(path)!r} is too large for a model: at most "
                f"{format_limits.SAVED_MODEL_FILES_MAX} files of {limits.ARTIFACT_BYTES_MAX} bytes in all"
            )
        yield name, content


def _files(path: Path) -> Iterator[tuple[str, bytes]]:
    """Yield names below the directory and contents; directories are held open, not named again."""
    for folder, _, names, descriptor in os.fwalk(path, onerror=_raise):
        for name in names:
            # Neither wait for the other end of a pipe nor follow a link.
            flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
            with os.fdopen(os.open(name, flags, dir_fd=descriptor), "rb") as file:
                if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                    raise InvalidModel(f"{name!r} in {folder!r} is no regular file")
                content = file.read(limits.ARTIFACT_BYTES_MAX + 1)
            yield Path(folder, name).relative_to(path).as_posix(), content


def _raise(error: OSError) -> None:
    raise error
