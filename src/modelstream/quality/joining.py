"""Labels and results as they come, joined by key while both are at hand: bounded in time and number.

A label belongs to the newest record with its key that is not newer than itself or, where it came first,
to the first one after. The first label of a record counts: a figure that was told is not taken back.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from modelstream.limits import LABEL_JOIN_MAX
from modelstream.quality.metrics import Label
from modelstream.quality.told import Told


@dataclass(frozen=True, slots=True)
class Answered:
    """A result that waits for its label."""

    data_type: str
    as_of: int
    timestamp: int
    told: list[Told]


# Told of each result that has its label.
OnLabelled = Callable[[Answered, Label], None]


@dataclass(slots=True)
class LabelJoin:
    """The join. What was left out because of a limit is counted: `expired` results and labels."""

    within_ms: float
    on_labelled: OnLabelled
    labelled: int = 0
    expired: int = 0
    _results: OrderedDict[bytes, list[Answered]] = field(default_factory=OrderedDict)
    _labels: OrderedDict[bytes, tuple[int, Label]] = field(default_factory=OrderedDict)
    _held: int = 0  # results

    def add_result(self, key: bytes, result: Answered) -> None:
        """Take in a result; a label that came before it is used up."""
        waiting = self._labels.pop(key, None)
        if waiting is not None and abs(waiting[0] - result.timestamp) <= self.within_ms:
            self._label(result, waiting[1])
            return
        of_key = self._results.setdefault(key, [])
        self._results.move_to_end(key)
        of_key.append(result)
        self._held += 1
        while self._held > LABEL_JOIN_MAX:
            self._drop_oldest()

    def add_label(self, key: bytes, timestamp: int, label: Label) -> None:
        """Take in a label."""
        of_key = self._results.get(key, [])
        known = [each for each in of_key if each.timestamp <= timestamp]
        result = known[-1] if known else of_key[0] if of_key else None
        if result is None:
            self._labels.setdefault(key, (timestamp, label))
            if len(self._labels) > LABEL_JOIN_MAX:
                self._labels.popitem(last=False)
                self.expired += 1
            return
        # What is older than the labelled one has lost its chance; the log goes forward.
        keep = of_key[of_key.index(result) + 1 :]
        self._held -= len(of_key) - len(keep)
        if keep:
            self._results[key] = keep
        else:
            del self._results[key]
        if abs(timestamp - result.timestamp) <= self.within_ms:
            self._label(result, label)
        else:
            self.expired += 1

    def _label(self, result: Answered, label: Label) -> None:
        self.labelled += 1
        self.on_labelled(result, label)

    def _drop_oldest(self) -> None:
        key, of_key = next(iter(self._results.items()))
        del of_key[0]
        self._held -= 1
        self.expired += 1
        if not of_key:
            del self._results[key]
