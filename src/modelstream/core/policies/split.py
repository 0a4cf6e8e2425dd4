"""Split: each record belongs to one arm, by a hash of its key, for as long as the shares stay."""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import accumulate, repeat
from typing import Any

import numpy as np

from modelstream.core.policies.base import (
    Asks,
    Case,
    Decision,
    Policy,
    RowArray,
    Rows,
    Single,
    check_members,
    merged,
    row_array,
)
from modelstream.core.policies.single import as_policy
from modelstream.errors import InvalidFlow

_POINTS = 2.0**64


@dataclass(frozen=True, slots=True)
class Split(Single):
    """A share of the keys meets each arm, and a key always the same one, on every worker.

    `arms` maps policies, or models' names, to shares, which are taken relative to their sum. A record
    without a key counts as its position. Another `salt` deals the keys anew.
    """

    arms: tuple[tuple[Policy, float], ...]
    salt: str = ""

    def __post_init__(self) -> None:
        """Check the shares."""
        given: Any = self.arms
        pairs = list(given.items()) if isinstance(given, Mapping) else given
        if not isinstance(pairs, list | tuple) or not all(
            isinstance(each, list | tuple) and len(each) == 2 for each in pairs
        ):
            raise InvalidFlow(f'Split has {given!r}; write shares by model: {{"a": 0.9, "b": 0.1}}')
        arms = tuple((as_policy(arm), _share(share)) for arm, share in pairs)
        object.__setattr__(self, "arms", arms)
        check_members("Split", self.members)
        if len(set(self.members)) < len(arms):
            raise InvalidFlow("Split has the same arm twice; add up its shares")
        if not sum(share for _, share in arms) > 0:
            raise InvalidFlow("Split has no share above 0")
        if not isinstance(self.salt, str):
            raise InvalidFlow(f"Split's salt is {self.salt!r}; it is text")

    @property
    def members(self) -> tuple[Policy, ...]:
        """The arms."""
        return tuple(arm for arm, _ in self.arms)

    @property
    def reads(self) -> Mapping[str, str]:
        """The key."""
        return {"": "key"}

    def ask(self, case: Case, rows: Rows) -> Asks:
        """Ask each arm about its own rows."""
        dealt = zip(self.members, self._dealt(case, rows), strict=True)
        return [ask for arm, part in dealt if len(part) for ask in arm.ask(case, part)]

    def decide(self, case: Case, rows: Rows, *, final: bool = False) -> Decision:
        """Let each arm decide on its own rows."""
        dealt = zip(self.members, self._dealt(case, rows), strict=True)
        return merged(arm.decide(case, part, final=final) for arm, part in dealt if len(part))

    def _dealt(self, case: Case, rows: Rows) -> list[RowArray]:
        array = row_array(rows)
        shares = [share for _, share in self.arms]
        chosen = arm_of([case.keys[row] for row in array.tolist()], shares, self.salt)
        return [array[chosen == index] for index in range(len(shares))]


def arm_of(keys: Sequence[bytes], shares: Sequence[float], salt: str) -> RowArray:
    """Return the arm of each key.

    A CRC-32 of the key is spread over 64 bits by the finalizer of splitmix64 (Steele et al., 2014),
    begun at a number that is the salt's: several splits of the same keys are independent.
    """
    seed = np.uint64(int.from_bytes(blake2b(salt.encode(), digest_size=8).digest(), "big"))
    sums = np.fromiter(map(zlib.crc32, keys, repeat(0)), np.uint64, len(keys))
    with np.errstate(over="ignore"):
        mixed = sums * np.uint64(0x9E3779B97F4A7C15) + seed
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        mixed ^= mixed >> np.uint64(31)
    total = sum(shares)
    edges = [edge / total for edge in accumulate(shares)][:-1]
    return np.searchsorted(np.array(edges), mixed.astype(np.float64) / _POINTS, side="right")


def _share(share: object) -> float:
    if isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share < 2**53:
        raise InvalidFlow(f"Split has the share {share!r}; a share is a number from 0 up")
    return float(share)
