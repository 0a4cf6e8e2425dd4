"""One jail for all tests of this room: starting one takes longer than most of them."""

from collections.abc import Iterator

import pytest

from modelstream.models.jail import Jail


@pytest.fixture(scope="session")
def jail() -> Iterator[Jail]:
    with Jail() as jail:
        yield jail
