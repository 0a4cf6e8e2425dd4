"""What the options of all steps have in common, and what they become.

Each kind of options has a method `bind(scope) -> Run`: it reads and makes columns of the scope, and
returns what does so with a batch. It raises InvalidModel where they are not there, or do not fit.
"""

from collections import Counter
from collections.abc import Callable
from typing import Annotated

import msgspec

from modelstream import limits
from modelstream.errors import InvalidModel
from modelstream.formats.pipeline.document import Name
from modelstream.messages import Columns


class Faults(dict[int, str]):
    """Rows that a step cannot answer, and why; and what a server said that it answered with."""

    __slots__ = ("served_version",)

    def __init__(self) -> None:
        super().__init__()
        self.served_version = ""


# From all columns before a step to all columns after it; `Faults` are added to.
Run = Callable[[Columns, Faults], Columns]

Names = Annotated[tuple[Name, ...], msgspec.Meta(min_length=1, max_length=limits.FIELDS_MAX)]


class Options(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """The parent of all options: what is not known is refused."""


def check_different(names: tuple[str, ...], what: str) -> None:
    """Raise InvalidModel where a name is given twice."""
    repeated = next((name for name, times in Counter(names).items() if times > 1), None)
    if repeated is not None:
        raise InvalidModel(f"{repeated!r} is given twice; give each of the {what} once")
