"""What a command of the command line left behind, for tests."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Ran:
    """What a command left: its exit code and what it printed."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        """Read the one JSON document."""
        (line,) = self.out.splitlines()
        return json.loads(line)

    def json_lines(self) -> list[Any]:
        """Read a JSON document a line."""
        return [json.loads(line) for line in self.out.splitlines()]


Run = Callable[..., Ran]
