"""Artifacts on disk: one file for each digest, complete or not there at all."""

import hashlib
import os
import re
import time
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile

from modelstream import limits
from modelstream.errors import LogError
from modelstream.log.disk.failures import explained

_PART = ".part"


class DiskBlobs:
    """Bytes by sha-256 digest under one directory (`log.base.Blobs`)."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def put(self, data: bytes) -> str:
        """Keep `data` and return its digest; on the disk when this returns. Raises LogError."""
        if len(data) > limits.BLOB_BYTES_MAX:
            raise LogError(
                f"{len(data)} bytes are too many to keep under a digest:"
                f" {limits.BLOB_BYTES_MAX} is the most"
            )
        digest = hashlib.sha256(data).hexdigest()
        with explained(self._directory):
            self._directory.mkdir(exist_ok=True)
            self._sweep()
            self._write(self._directory / digest, data)
        return digest

    def get(self, digest: str) -> bytes | None:
        """Return the bytes, None where they are not kept. Raises LogError when damaged."""
        if not re.fullmatch("[0-9a-f]{64}", digest):
            return None  # and no path to another file
        path = self._directory / digest
        with explained(self._directory):
            try:
                data = path.read_bytes()
            except FileNotFoundError:
                return None
        if hashlib.sha256(data).hexdigest() != digest:
            raise LogError(f"{path} is damaged: remove it, and publish its model again")
        return data

    def _write(self, path: Path, data: bytes) -> None:
        with NamedTemporaryFile(
            dir=self._directory, prefix=path.name, suffix=_PART, delete=False
        ) as part:
            try:
                part.write(data)
                part.flush()
                os.fsync(part.fileno())
                Path(part.name).replace(path)
            except BaseException:
                Path(part.name).unlink(missing_ok=True)
                raise
        directory = os.open(self._directory, os.O_RDONLY)
        try:
            os.fsync(directory)  # the new name itself
        finally:
            os.close(directory)

    def _sweep(self) -> None:
        """Remove what killed writers left behind."""
        oldest = time.time() - limits.BLOB_PART_SECONDS_MAX
        for part in self._directory.glob(f"*{_PART}"):
            with suppress(FileNotFoundError):  # another process may be sweeping too
                if part.stat().st_mtime < oldest:
                    part.unlink()
