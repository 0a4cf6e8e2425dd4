"""Registry events for tests, with whatever a test does not care about filled in."""

import hashlib

from modelstream.events import (
    Admitted,
    Drift,
    Drifted,
    Figures,
    Measured,
    Planned,
    Promoted,
    Reach,
    Rejected,
    Released,
    ReleaseState,
    Retired,
    RolledBack,
)
from modelstream.messages import VersionId


def admitted(
    name: str, version: str = "1", data_type: str = "wine", digest: str | None = None
) -> Admitted:
    """Return an admission."""
    return Admitted(
        name=name,
        version=version,
        data_type=data_type,
        digest=digest or hashlib.sha256(f"{name}@{version}".encode()).hexdigest(),
        format="fake",
        lowered="0" * 64,
        size=1,
        source=0,
        at_ms=1000,
        inputs=(),
        outputs=(),
    )


def promoted(name: str, version: str = "1", data_type: str = "wine") -> Promoted:
    """Return a promotion."""
    return Promoted(name=name, version=version, data_type=data_type, source=0, at_ms=2000)


def rolled_back(name: str, version: str = "1", data_type: str = "wine") -> RolledBack:
    """Return a rollback that leaves the named version."""
    return RolledBack(data_type=data_type, name=name, version=version, source=0, at_ms=3000)


def retired(name: str, version: str = "1") -> Retired:
    """Return a retirement."""
    return Retired(name=name, version=version, source=0, at_ms=4000)


def rejected(name: str) -> Rejected:
    """Return a rejection."""
    return Rejected(
        name=name,
        version=None,
        data_type="wine",
        digest=None,
        code="invalid_model",
        reason="not a model",
        source=0,
        at_ms=5000,
    )


def planned(policy: str, version: str = "1", data_type: str = "") -> Planned:
    """Return a plan."""
    return Planned(
        data_type=data_type,
        version=version,
        policy=policy,
        digest=hashlib.sha256(policy.encode()).hexdigest(),
        source=-1,
        at_ms=6000,
    )


def measured(*versions: Figures, window: int = 0, until: int = 1) -> Measured:
    """Return figures of some versions."""
    return Measured(
        data_type="wine",
        window=window,
        began_ms=0,
        since=Reach((0,), (0,)),
        until=Reach((until,), (0,)),
        versions=versions,
        source=-1,
        at_ms=7000,
    )


def released(name: str, version: str, state: ReleaseState = "started", step: int = 0) -> Released:
    """Return what became of a release, of whatever version is `name@1` now."""
    return Released(
        data_type="wine",
        name=name,
        version=version,
        champion=VersionId(name, "1"),
        steps=(0.1, 0.5),
        every=100,
        promote="",
        roll_back="",
        step=step,
        state=state,
        source=-1,
        at_ms=8000,
    )


def drifted(column: str, *, alarm: bool) -> Drifted:
    """Return an alarm, or its end."""
    drift = Drift(column=column, records=1000, psi=0.5, ks=0.3)
    return Drifted(data_type="wine", drift=drift, alarm=alarm, source=-1, at_ms=9000)
