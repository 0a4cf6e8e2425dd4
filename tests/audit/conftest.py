"""The flow whose log most tests of the audits read, or tamper with a copy of."""

import pytest

from tests.support.audits import story as run_story
from tests.support.flows import Rig


@pytest.fixture(scope="session")
def story() -> Rig:
    return run_story()
