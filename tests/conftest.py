"""Fixtures that every test may use."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real models and records that lie beside the project, not in it."""
    path = Path(__file__).resolve().parents[2] / "shared" / "data"
    if not path.is_dir():
        if os.environ.get("CI") == "true":
            pytest.fail(f"CI must have the shared test data at {path}")
        pytest.skip("the shared test data (../shared/data) is not on this machine")
    return path
