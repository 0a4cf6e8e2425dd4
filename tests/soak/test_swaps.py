"""A thousand swaps of each format in the serving process: nothing stays behind."""

import pytest

from benchmarks.swaps_by_format import GOAL_RSS_MB, SWAPS, swapped
from tests.support.two_versions import FORMATS

pytestmark = pytest.mark.soak


@pytest.mark.parametrize("format_name", FORMATS)
def test_swaps_leave_nothing_behind(format_name: str) -> None:
    before, after = swapped(format_name, SWAPS)
    assert (after.files, after.threads) == (before.files, before.threads)
    assert after.models == before.models == 2, "the version that answers, and the one before it"
    assert after.classes == before.classes
    assert after.resident_bytes - before.resident_bytes < GOAL_RSS_MB * 1e6
