"""Which version answers for a data type now, and up to which registry offset that is true.

The registry may want a version that is still being loaded. Until it is ready the one before it
goes on answering, and the plan's `as_of` stays at the last offset where that one was right. Plans
of different data types move independently: a slow load delays nobody else.
"""

from dataclasses import dataclass, field
from typing import Literal

from modelstream.messages import VersionId

LoadState = Literal["loading", "ready", "failed"]


@dataclass(slots=True)
class Plan:
    """The plan of one data type.

    `serving` answers; `wanted` is what the registry says. While they differ, `held_at` is the
    last offset at which `serving` was wanted. `loads` are the versions in memory, or on their way.
    """

    data_type: str
    serving: VersionId | None = None
    wanted: VersionId | None = None
    held_at: int | None = None
    loads: dict[VersionId, LoadState] = field(default_factory=dict)

    def as_of(self, position: int) -> int:
        """Return the registry offset that `serving` stands for, given how far it was read."""
        return position if self.held_at is None else self.held_at

    def want(self, version: VersionId | None, position: int) -> None:
        """Take note that the registry wants another version from `position` on."""
        self.wanted = version
        if version == self.serving:
            self.held_at = None
        elif self.held_at is None:
            self.held_at = position - 1

    def ready(self) -> bool:
        """Tell whether what is wanted can answer; wanting nothing always can."""
        return self.wanted is None or self.loads.get(self.wanted) == "ready"

    def flip(self) -> None:
        """Let the wanted version answer."""
        self.serving = self.wanted
        self.held_at = None
