"""What stands on the registry: the facts of every version's life, in one total order.

The admitter alone writes them, the joins only read them; `core.registry` folds them. Each event
says which message of the models topic caused it (`source`, an offset there).
"""

from collections.abc import Sequence
from typing import Literal

import msgspec

from modelstream.errors import InvalidMessage
from modelstream.messages import VersionId


class FieldSpec(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A column as the registry tells it; the meaning is that of `formats.base.Field`."""

    name: str
    type: str
    shape: tuple[int | None, ...] = ()
    optional: bool = False


class Admitted(msgspec.Struct, frozen=True, tag="admitted", tag_field="event", kw_only=True):
    """A version passed every check; it may be promoted from now on.

    `digest` is the artifact's, `lowered` that of the form the serving processes load.
    """

    name: str
    version: str
    data_type: str
    digest: str
    format: str
    lowered: str
    size: int
    source: int
    at_ms: int
    inputs: tuple[FieldSpec, ...]
    outputs: tuple[FieldSpec, ...]
    description: str = ""
    publisher: str = ""
    created_at_ms: int | None = None
    metrics: dict[str, float] = {}
    feature_names: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    signature_name: str = ""


class Rejected(msgspec.Struct, frozen=True, tag="rejected", tag_field="event", kw_only=True):
    """A message of the models topic was refused, and why; nothing else changed."""

    name: str
    version: str | None
    data_type: str
    digest: str | None
    code: str
    reason: str
    source: int
    at_ms: int


class Promoted(msgspec.Struct, frozen=True, tag="promoted", tag_field="event", kw_only=True):
    """A version became the current one of a data type."""

    name: str
    version: str
    data_type: str
    source: int
    at_ms: int


class RolledBack(msgspec.Struct, frozen=True, tag="rolled_back", tag_field="event", kw_only=True):
    """The current version of a data type was left for the one that was current before it."""

    data_type: str
    name: str  # the version left
    version: str
    source: int
    at_ms: int


class Retired(msgspec.Struct, frozen=True, tag="retired", tag_field="event", kw_only=True):
    """A version may never be current again; where it was, its predecessor is."""

    name: str
    version: str
    source: int
    at_ms: int


class Planned(msgspec.Struct, frozen=True, tag="planned", tag_field="event", kw_only=True):
    """How answers are found from now on: a policy, for one data type or ("") for all without one.

    `policy` is the text that `core.policies.text` reads, `digest` its sha-256, `version` counts the
    plans of the flow. `declared` tells that the flow's own declaration says so. An empty policy
    ends a data type's own plan.
    """

    version: str
    data_type: str
    policy: str
    digest: str
    source: int
    at_ms: int
    name: str = "plan"
    publisher: str = ""
    declared: bool = False


class Reach(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """How far a flow's topics were read: the next offset of each partition."""

    results: tuple[int, ...] = ()
    rejects: tuple[int, ...] = ()
    labels: tuple[int, ...] = ()


class Figures(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was counted of one version, of the `records` that it was asked about.

    At `failures` of them it failed, and `late` were decided before it had answered. Durations are milliseconds of the score call that a record was part of. `metrics` are by the
    `labels` that came, but for "agreement": the share of records of which it said what was answered.
    """

    name: str
    version: str
    records: int = 0
    failures: int = 0
    late: int = 0
    labels: int = 0
    p50_ms: float | None = None
    p99_ms: float | None = None
    metrics: dict[str, float] = {}


class Drift(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How far a column of `records` records is from its profile; scores name their `version`.

    `psi` is the population stability index, `ks` the statistic of Kolmogorov and Smirnov.
    """

    column: str
    version: str = ""
    records: int
    psi: float
    ks: float


class ColumnProfile(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How a column was distributed: shares between `edges`, or of `classes` and of all others."""

    column: str
    version: str = ""
    records: int
    shares: tuple[float, ...]
    edges: tuple[float, ...] = ()
    classes: tuple[str, ...] = ()


class Measured(msgspec.Struct, frozen=True, tag="measured", tag_field="event", kw_only=True):
    """How the versions of a data type did in a window of its results.

    `window` is the registry offset from which on the answers that are counted were given; of these
    the ones from `since` to `until` were. `profiles` are those that became known with this.
    """

    data_type: str
    window: int
    began_ms: int
    since: Reach
    until: Reach
    versions: tuple[Figures, ...]
    drifts: tuple[Drift, ...] = ()
    profiles: tuple[ColumnProfile, ...] = ()
    source: int
    at_ms: int


class Drifted(msgspec.Struct, frozen=True, tag="drifted", tag_field="event", kw_only=True):
    """A column went far from its profile, or (without `alarm`) came back."""

    data_type: str
    drift: Drift
    alarm: bool
    source: int
    at_ms: int


ReleaseState = Literal["started", "stepped", "promoted", "rolled_back", "aborted"]


class Released(msgspec.Struct, frozen=True, tag="released", tag_field="event", kw_only=True):
    """A candidate's release began, went a step on, or ended.

    `steps` are the shares of the keys that meet the candidate, 0 for a shadow, and `step` the one
    it is at. `before` is the data type's own plan that is restored in the end ("" for none).
    `because` is the rule that held and `evidence` the figures of candidate and champion.
    """

    data_type: str
    name: str
    version: str
    champion: VersionId
    steps: tuple[float, ...]
    every: int
    promote: str
    roll_back: str
    step: int
    state: ReleaseState
    before: str = ""
    because: str = ""
    evidence: tuple[Figures, ...] = ()
    source: int
    at_ms: int


RegistryEvent = (
    Admitted | Rejected | Promoted | RolledBack | Retired | Planned | Measured | Drifted | Released
)


_DECODE_REGISTRY_EVENT = msgspec.json.Decoder(RegistryEvent).decode


def version_of(event: Admitted | Promoted | RolledBack | Retired | Planned | Released) -> VersionId:
    """Return the version that an event is about."""
    return VersionId(event.name, event.version)


def encode_event(event: RegistryEvent) -> bytes:
    """Write an event as JSON."""
    return msgspec.json.encode(event)


def decode_event(data: bytes) -> RegistryEvent:
    """Read an event from JSON. Raises InvalidMessage."""
    try:
        event: RegistryEvent = _DECODE_REGISTRY_EVENT(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidMessage(
            f"this is no registry event ({error}); only the admitter may write this topic"
        ) from error
    return event


def decode_events(values: Sequence[bytes]) -> list[RegistryEvent]:
    """Read a batch of events. Raises InvalidMessage."""
    return [decode_event(value) for value in values]
