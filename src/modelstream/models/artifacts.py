"""Where a model's bytes come from: a descriptor's artifact, and the lowered form of a version.

Every artifact is checked here against its size limit and its sha-256, before anything parses it.
From a network nothing is fetched but the metadata of remote models, at the servers that a flow names;
from files only what lies below the directories that it names.
"""

import hashlib
import os
import re
import stat
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from modelstream.errors import (
    InvalidMessage,
    InvalidModel,
    LogError,
    ModelUnavailable,
    UnknownModel,
    UnsupportedModel,
)
from modelstream.events import Admitted
from modelstream.flow import Flow
from modelstream.formats import runtimes
from modelstream.formats.base import LoweredModel, Remote
from modelstream.formats.location import is_location
from modelstream.formats.packing import is_model_directory, pack_directory
from modelstream.formats.remote import check_allowed, fetch_artifact
from modelstream.limits import ARTIFACT_BYTES_MAX, RECORD_BYTES_MAX
from modelstream.log.base import Blobs, Log
from modelstream.models.check import CheckRequest, Failed
from modelstream.models.jail import Jail
from modelstream.models.references import find_on, referenced
from modelstream.models.refusal import Refused
from modelstream.wire.descriptor import ModelDescriptor, decode_descriptor

_BLOB = re.compile(r"sha256:([0-9a-f]{64})")
_FILE = "file:"


def artifact_bytes(
    descriptor: ModelDescriptor,
    blobs: Blobs,
    locations: Sequence[str],
    remote: Remote | None = None,
) -> bytes:
    """Return the artifact that a descriptor brings, checked against its digest.

    It is in the message, among the log's blobs (`sha256:<hex>`), or in a file (`file:<path>`)
    below one of the directories in `locations` (`file:<directory>`). Of a remote model it is what
    a server tells of it, one of those in `remote`. Raises Refused.
    """
    location = descriptor.location
    if descriptor.format == "remote":
        data = _from_server(location or "", remote or Remote())
    elif location is None:
        data = descriptor.data or b""
    elif match := _BLOB.fullmatch(location):
        data = _from_blobs(blobs, match[1])
    elif location.startswith(_FILE):
        if not descriptor.digest:
            raise Refused(
                "location_refused",
                "a model that is published by its file needs a digest, so that what is served is "
                "what was published; give its sha-256",
            )
        data = _from_file(location.removeprefix(_FILE), locations)
    else:
        raise Refused(
            "location_refused",
            f"nothing is fetched from {location!r}; publish the model itself, its blob "
            f"(sha256:...), or a file: path below the flow's locations",
        )
    return _checked(data, descriptor.digest)


def lowered_bytes(event: Admitted, log: Log, flow: Flow, jail: Jail) -> bytes:
    """Return what a serving process loads for an admitted version.

    Where the log has lost it, or it is damaged, the artifact is lowered again and kept again.
    Raises UnknownModel when the artifact is gone too, InvalidModel when it no longer passes,
    LogError, JailFailed.
    """
    try:
        kept = log.blobs.get(event.lowered)
    except LogError:  # damaged: as good as gone, for it can be made again
        kept = None
    if kept is not None:
        return kept
    descriptor = _published(event, log, flow)
    try:
        artifact = artifact_bytes(descriptor, log.blobs, flow.locations, flow.remote)
    except Refused as refused:
        raise UnknownModel(f"{_name(event)} cannot be fetched again: {refused.reason}") from refused
    if hashlib.sha256(artifact).hexdigest() != event.digest:
        raise UnknownModel(
            f"{flow.models} at offset {event.source} has another artifact than the one that was "
            f"admitted as {_name(event)}; publish it again"
        )
    verdict = jail.check(
        CheckRequest(
            data=artifact,
            format=event.format,
            feature_names=event.feature_names,
            labels=event.labels,
            signature=event.signature_name,
            runtimes=runtimes(),
            models=_referenced(event, artifact, log, flow, jail),
            remote=flow.remote,
            functions=dict(flow.functions),
        )
    )
    if isinstance(verdict, Failed):
        raise InvalidModel(f"{_name(event)} passed once, and does no longer: {verdict.reason}")
    log.blobs.put(verdict.lowered)
    return verdict.lowered


def _referenced(
    event: Admitted, artifact: bytes, log: Log, flow: Flow, jail: Jail
) -> dict[str, LoweredModel]:
    """Bring the versions that an admitted one refers to; all of them were admitted before it."""
    if event.format != "pipeline":
        return {}
    bring = partial(lowered_bytes, log=log, flow=flow, jail=jail)
    try:
        return referenced(event.format, artifact, find_on(log, flow), bring)
    except Refused as refused:
        raise UnknownModel(f"{_name(event)} cannot be made again: {refused.reason}") from refused


def _published(event: Admitted, log: Log, flow: Flow) -> ModelDescriptor:
    """Read again the message that published a version."""
    batch = log.read(flow.models, 0, event.source, 1, RECORD_BYTES_MAX)
    if not len(batch) or batch.offsets[0] != event.source:
        raise UnknownModel(
            f"{flow.models} no longer has offset {event.source}, which published {_name(event)}; "
            f"keep that topic for ever, and publish the model again"
        )
    try:
        return decode_descriptor(batch.values[0], flow.descriptor_dialect)
    except InvalidMessage as error:
        raise UnknownModel(
            f"{flow.models} at offset {event.source} is no descriptor of {_name(event)}: {error}"
        ) from error


def _name(event: Admitted) -> str:
    return f"{event.name}@{event.version}"


def _from_server(url: str, remote: Remote) -> bytes:
    """Have a server tell of a remote model."""
    if not is_location(url):
        raise Refused(
            "location_refused",
            "a remote model is published by its location alone: http://HOST:PORT/v2/models/NAME",
        )
    try:
        check_allowed(url, remote)
    except InvalidModel as error:
        raise Refused("location_refused", str(error)) from error
    try:
        return fetch_artifact(url, remote)
    except ModelUnavailable as error:
        raise Refused("unavailable", str(error)) from error
    except UnsupportedModel as error:
        raise Refused("unsupported_model", str(error)) from error
    except InvalidModel as error:
        raise Refused("invalid_model", str(error)) from error


def _from_blobs(blobs: Blobs, digest: str) -> bytes:
    try:
        data = blobs.get(digest)
    except LogError as error:
        raise Refused("no_artifact", f"the artifact cannot be read: {error}") from error
    if data is None:
        raise Refused(
            "no_artifact",
            f"the log keeps no artifact sha256:{digest}; put it there before publishing it",
        )
    return data


def _from_file(path: str, locations: Sequence[str]) -> bytes:
    """Read a regular file below an allowed directory, both with all links resolved.

    A directory that is a model is read as the archive that packs it; its digest is the archive's.
    """
    try:
        wanted = Path(path).resolve(strict=True)
    except (OSError, RuntimeError, ValueError):
        wanted = None
    allowed = [
        Path(each.removeprefix(_FILE)).resolve() for each in locations if each.startswith(_FILE)
    ]
    inside = wanted is not None and any(wanted.is_relative_to(each) for each in allowed)
    # A file that is not there and one that may not be read give one answer: no probing of files.
    if wanted is None or not inside or not Path(path).is_absolute():
        raise Refused(
            "location_refused",
            f"there is no file {path!r} below the flow's locations "
            f"({', '.join(map(repr, locations)) or 'it has none'}); give an absolute path",
        )
    try:
        if is_model_directory(wanted):
            return pack_directory(wanted)
        return _read_regular_file(wanted)
    except InvalidModel as error:
        raise Refused("location_refused", str(error)) from error
    except OSError as error:
        raise Refused("no_artifact", f"{path!r} cannot be read: {error.strerror}") from error


def _read_regular_file(path: Path) -> bytes:
    """Read a file whole. Raises OSError, Refused."""
    with open(path, "rb", opener=_open_warily) as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise Refused("location_refused", f"{str(path)!r} is no regular file")
        if status.st_size > ARTIFACT_BYTES_MAX:
            raise _too_large(status.st_size)
        return file.read(ARTIFACT_BYTES_MAX + 1)


def _open_warily(path: str, flags: int) -> int:
    """Neither wait for the other end of a pipe nor follow a link put there since."""
    return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK)


def _checked(data: bytes, digest: str) -> bytes:
    """Return the artifact if it is of the digest that the descriptor names, and not too large."""
    if len(data) > ARTIFACT_BYTES_MAX:
        raise _too_large(len(data))
    actual = hashlib.sha256(data).hexdigest()
    if digest and actual != digest:
        raise Refused(
            "digest_mismatch",
            f"the artifact's sha-256 is {actual}, the descriptor says {digest}; publish it again",
        )
    return data


def _too_large(size: int) -> Refused:
    return Refused("too_large", f"the artifact has {size} bytes; at most {ARTIFACT_BYTES_MAX}")


def told_digest(descriptor: ModelDescriptor) -> str | None:
    """Return the digest of a refused artifact, as far as it is known without fetching it."""
    if descriptor.data is not None:
        return hashlib.sha256(descriptor.data).hexdigest()
    return descriptor.digest or None
