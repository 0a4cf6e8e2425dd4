"""The live status of `serve`: a small table on a terminal, drawn between two turns of the loop."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from modelstream.cli.sentences import of_event
from modelstream.cli.show import make_table
from modelstream.cli.text import counted, plain, rate
from modelstream.cli.watch import RegistryTail, Swaps
from modelstream.core.snapshot import PlanView, Snapshot
from modelstream.engines.embedded import Embedded
from modelstream.engines.serve import OnTurn
from modelstream.flow import Flow
from modelstream.limits import STATUS_SECONDS
from modelstream.log.base import Log


@contextmanager
def watching_turns(log: Log, flow: Flow, console: Console) -> Iterator[OnTurn]:
    """Yield what `serve` tells of its turns: it logs swaps and, on a terminal, shows the status."""
    swaps = Swaps()

    def log_swaps(engine: Embedded, _answered: int) -> None:
        for plan in engine.shell.machine.snapshot().plans:
            swaps.note(plan)

    if not console.is_terminal:
        yield log_swaps
        return
    status = Status(log, flow)
    with Live(console=console, auto_refresh=False) as live:

        def show(engine: Embedded, answered: int) -> None:
            log_swaps(engine, answered)
            if status.turn(answered):
                live.update(status.picture(engine), refresh=True)

        yield show


class Status:
    """The figures of a running join, and their picture."""

    def __init__(self, log: Log, flow: Flow, clock: Callable[[], float] = time.monotonic) -> None:
        self._log, self._flow, self._clock = log, flow, clock
        self._events = RegistryTail(log, flow)
        self._last_event = "none yet"
        self._answered = 0
        self._since = clock()
        self._recent = 0

    def turn(self, answered: int) -> bool:
        """Count a turn's records; tell whether it is time for another picture."""
        self._answered += answered
        self._recent += answered
        return self._clock() - self._since >= STATUS_SECONDS

    def picture(self, engine: Embedded) -> Group:
        """Draw the status of this moment; the rate is that since the last picture."""
        now = self._clock()
        per_second = self._recent / max(now - self._since, STATUS_SECONDS)
        self._since, self._recent = now, 0
        for event in self._events.new():
            self._last_event = of_event(event)
        away = engine.shell.absences.reasons
        why = "its server is away" if away else "no model"
        line = (
            f"{rate(per_second)}  {counted(self._answered, 'record')} answered, "
            f"{engine.lag():,} behind{f' (held: {why})' if engine.held() else ''}, "
            f"{counted(self._rejects(), 'reject')} on {self._flow.rejects}"
        )
        return Group(
            plans_table(self._flow.name, engine.shell.machine.snapshot()),
            Text(plain(line)),
            *(Text(plain(f"{version}: {reason}")) for version, reason in away.items()),
            Text(plain(f"last event: {self._last_event}"), overflow="ellipsis", no_wrap=True),
        )

    def _rejects(self) -> int:
        made = self._log.topics()[self._flow.rejects]
        bounds = (self._log.bounds(made.name, each) for each in range(made.partitions))
        return sum(end - start for start, end in bounds)


def plans_table(title: str, snapshot: Snapshot) -> Table:
    """Draw which version serves each data type."""
    return make_table(
        title, ["data type", "serves", "next", ">as of"], [_row(plan) for plan in snapshot.plans]
    )


def _row(plan: PlanView) -> list[str]:
    coming = plan.wanted if plan.wanted != plan.serving else None
    names = [str(each) if each is not None else "-" for each in (plan.serving, coming)]
    return [plan.data_type, *names, str(plan.as_of)]
