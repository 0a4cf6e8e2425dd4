"""Why a message of the models topic is refused: a closed list of codes, each with a reason in words.

`Refused` is raised wherever a rule is broken and caught where a registry event or a verdict is
made of it; no caller of this package meets it.
"""

from collections.abc import Collection
from typing import Literal

from modelstream.limits import REASON_CHARS_MAX

RefusalCode = Literal[
    # the message itself
    "malformed",
    "invalid_plan",
    "invalid_release",
    "unknown_data_type",
    # getting the artifact
    "no_artifact",
    "location_refused",
    "digest_mismatch",
    "too_large",
    "unavailable",  # the server of a remote model
    # reading the artifact
    "unknown_format",
    "invalid_model",
    "unsupported_model",
    "invalid_signature",
    # the child that read it
    "timeout",
    "memory",
    "crashed",
    # what the model answers
    "model_error",
    "wrong_rows",
    "fields_missing",
    "records_failed",
    "no_answer",
    "golden_mismatch",
    # the life of versions
    "artifact_exists",
    "version_exists",
    "unknown_version",
    "retired",
    "not_current",
    "nothing_before",
    "releasing",
    "no_release",
]

# How many names a reason lists: enough to see the pattern.
_LISTED_MAX = 10


class Refused(Exception):
    """A rule was broken; `reason` is short enough for the registry."""

    def __init__(self, code: RefusalCode, reason: str) -> None:
        super().__init__(code, reason)
        self.code: RefusalCode = code
        self.reason = shortened(reason)


def shortened(reason: str) -> str:
    """Cut a reason to REASON_CHARS_MAX characters."""
    return reason if len(reason) <= REASON_CHARS_MAX else reason[: REASON_CHARS_MAX - 1] + "…"


def listed(names: Collection[str]) -> str:
    """Name the first few of some names."""
    more = f" and {len(names) - _LISTED_MAX} more" if len(names) > _LISTED_MAX else ""
    return (", ".join(map(repr, list(names)[:_LISTED_MAX])) or "none") + more
