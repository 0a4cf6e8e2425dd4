"""What can be wrong with one record while it is scored, and the bound on the work it may take."""

from modelstream.formats.limits import PFA_ITEMS_MAX, PFA_STEPS_MAX


class Fault(Exception):
    """A record has no answer; `code` is that of PFA's specification, or the document's own."""

    def __init__(self, message: str, code: int | None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code

    def __str__(self) -> str:
        return self.message if self.code is None else f"{self.message} (PFA error {self.code})"


class Stopped(Exception):
    """A record took more work than any may; no `try` of the document catches it."""


class Run:
    """One record's run: how much work is left, and what it has emitted."""

    __slots__ = ("emitted", "steps")

    def __init__(self) -> None:
        self.steps = PFA_STEPS_MAX
        self.emitted: list[object] = []

    def step(self) -> None:
        """Count a turn of a loop or a call of a function. Raises Stopped."""
        self.steps -= 1
        if self.steps < 0:
            raise Stopped(f"the model took more than {PFA_STEPS_MAX} steps for this record")


def check_size(items: int) -> None:
    """Raise Stopped when a call would make more items than any may."""
    if items > PFA_ITEMS_MAX:
        raise Stopped(f"the model made a value of more than {PFA_ITEMS_MAX} items for this record")
