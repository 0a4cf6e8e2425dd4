"""Registry events for tests, with whatever a test does not care about filled in."""

import hashlib

from modelstream.events import Admitted, Planned, Promoted, Rejected, Retired, RolledBack


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
