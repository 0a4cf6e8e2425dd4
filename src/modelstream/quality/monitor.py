"""The monitor: reads what was answered and what became known of it, and tells the figures.

It tells by a message on the models topic, as everybody does who wants something of the admitter; so the
registry keeps one writer, and what follows from figures is decided where all else is decided. It
keeps nothing itself: after a restart it reads a window again from where it began.
"""

import threading
from collections.abc import Callable, Sequence
from functools import partial

import msgspec

from modelstream.core.registry import Registry
from modelstream.events import Reach, decode_events
from modelstream.flow import Flow
from modelstream.limits import BATCH_BYTES_MAX, BATCH_RECORDS_MAX, MONITOR_WAIT_SECONDS
from modelstream.log.base import Log
from modelstream.log.clock import wall_clock_ms
from modelstream.log.outages import wait_out
from modelstream.messages import Outgoing, VersionId
from modelstream.models.measurements import Report
from modelstream.quality.joining import Answered, LabelJoin
from modelstream.quality.labels import decode_label
from modelstream.quality.metrics import Label
from modelstream.quality.reading import Reader, start_of
from modelstream.quality.told import told_by
from modelstream.quality.window import Profiler, Window, rows_of
from modelstream.stored import Stored, StoredResult, as_of, version_named
from modelstream.wire.descriptor import Action, ModelDescriptor, encode_descriptor

# While a release goes on figures are told at least so often: a bad step is not to last.
_RELEASE_SECONDS = 5.0
_PUBLISHER = "the monitor"


class Monitor:
    """Watches one flow, for one thread. Where nothing asks for figures it reads the registry alone."""

    def __init__(self, flow: Flow, log: Log, *, now_ms: Callable[[], int] = wall_clock_ms) -> None:
        self._flow, self._log, self._now_ms = flow, log, now_ms
        self._registry = Registry()
        self._windows: dict[str, Window] = {}
        self._profilers: dict[str, Profiler] = {}
        self._reader: Reader | None = None
        self._labels = LabelJoin(flow.monitor.labels_within_s * 1000, self._on_labelled)
        self._told_ms = 0

    def run(self, stop: threading.Event) -> None:
        """Watch until `stop` is set. Raises LogError."""
        while not stop.is_set():
            read = wait_out(partial(self.step), stop)
            if not read:
                stop.wait(MONITOR_WAIT_SECONDS)

    def step(self) -> int:
        """Read what is new, tell the figures if it is time; return how many messages were read."""
        self._fold()
        watched = self._watched()
        if not watched:
            self._windows.clear()
            self._reader = None
            return 0
        if self._reader is None:
            self._reader = Reader(self._log, self._flow, self._start(watched))
        self._turn_over(watched, self._reader.reach)
        read = self._read(self._reader)
        every = self._flow.monitor.every_s
        if self._registry.releases:
            every = min(every, _RELEASE_SECONDS)
        if self._now_ms() - self._told_ms >= every * 1000:
            self.tell()
        return read

    def tell(self) -> int:
        """Tell the figures of windows in which something was counted; return how many."""
        self._told_ms = self._now_ms()
        if self._reader is None:
            return 0
        told = 0
        for window in [each for each in self._windows.values() if each.fresh]:
            profiler = self._profilers.get(window.data_type)
            profiles = list(profiler.made.values()) if profiler else []
            report = window.report(self._reader.reach, profiles)
            self._publish(window.data_type, report)
            told += 1
            self._roll(window, report)
        return told

    def _fold(self) -> None:
        while True:
            batch = self._log.read(
                self._flow.registry,
                0,
                self._registry.position + 1,
                BATCH_RECORDS_MAX,
                BATCH_BYTES_MAX,
            )
            if not len(batch):
                return
            for offset, event in zip(batch.offsets, decode_events(batch.values), strict=True):
                self._registry.apply(event, offset)

    def _watched(self) -> list[str]:
        """Return the data types of which figures are wanted, and that have answers at all."""
        if self._flow.labels or self._flow.monitor.drift:
            return list(self._registry.windows)
        return list(self._registry.releases)

    def _start(self, watched: Sequence[str]) -> Reach:
        return start_of(self._log, self._flow, self._registry, watched, self._now_ms())

    def _turn_over(self, watched: Sequence[str], reach: Reach) -> None:
        """Begin a window for each data type that has others who answer than before."""
        for gone in self._windows.keys() - set(watched):
            del self._windows[gone]
        for data_type in watched:
            position = self._registry.windows[data_type]
            known = self._windows.get(data_type)
            if known is not None and known.position == position:
                continue
            before = self._registry.measured.get(data_type)
            if known is None and before is not None and before.window == position:
                window = Window(data_type, position, before.began_ms, before.since)
            else:
                window = Window(data_type, position, self._now_ms(), reach)
            self._windows[data_type] = window

    def _roll(self, window: Window, report: Report) -> None:
        """Begin another window once one is old, so that figures are of late; a release's step is left."""
        age_ms = self._now_ms() - window.began_ms
        if age_ms >= self._flow.monitor.window_s * 1000 and (
            window.data_type not in self._registry.releases
        ):
            self._windows[window.data_type] = Window(
                window.data_type, window.position, self._now_ms(), report.until
            )

    def _read(self, reader: Reader) -> int:
        """Take in what is there of results and rejects, and then of labels."""
        read = 0
        for partition, offsets, keys, outcomes in reader.outcomes():
            read += len(outcomes)
            counted: dict[str, list[StoredResult]] = {}
            for offset, key, outcome in zip(offsets, keys, outcomes, strict=True):
                if self._take(partition, offset, key, outcome) and isinstance(
                    outcome, StoredResult
                ):
                    counted.setdefault(outcome.data_type, []).append(outcome)
            if self._flow.monitor.drift:
                self._profile(counted)
        for key, at_ms, value in reader.labels():
            read += 1
            label = decode_label(value)
            if key is not None and label is not None:
                self._labels.add_label(key, at_ms, label)
        return read

    def _take(self, partition: int, offset: int, key: bytes | None, outcome: Stored | None) -> bool:
        """Count one outcome, unless it is of no window; tell whether it was counted."""
        window = self._windows.get(outcome.data_type or "") if outcome else None
        if outcome is None or window is None or as_of(outcome) < window.position:
            return False
        answered = isinstance(outcome, StoredResult)
        since = window.since.results if answered else window.since.rejects
        if partition < len(since) and offset < since[partition]:
            return False
        told = told_by(outcome)
        given = version_named(outcome) if isinstance(outcome, StoredResult) else None
        window.add(told, given)
        if self._flow.labels and key is not None and told:
            kept = Answered(window.data_type, as_of(outcome), outcome.timestamp, told)
            self._labels.add_result(key, kept)
        return True

    def _profile(self, counted: dict[str, list[StoredResult]]) -> None:
        """Take the inputs and scores of a batch's results into profiles, or beside them."""
        for data_type, results in counted.items():
            known = self._registry.profiles.get(data_type, {})
            profiler = self._profilers.setdefault(
                data_type, Profiler(self._flow.monitor.profile_records)
            )
            profiler.confirmed(known)
            window = self._windows[data_type]
            if self._flow.echo:
                inputs = rows_of([each.record for each in results])
                profiler.add("", inputs, known, window)
            by: dict[VersionId, list[msgspec.Raw]] = {}
            for each in results:
                by.setdefault(version_named(each), []).append(each.outputs)
            for version, outputs in by.items():
                profiler.add(str(version), rows_of(outputs), known, window)

    def _on_labelled(self, result: Answered, label: Label) -> None:
        window = self._windows.get(result.data_type)
        if window is not None and result.as_of >= window.position:
            window.label(label, result.told)

    def _publish(self, data_type: str, report: Report) -> None:
        descriptor = ModelDescriptor(
            action=Action.MEASURE,
            data_type=data_type,
            order=msgspec.json.encode(report).decode(),
            publisher=_PUBLISHER,
            created_at_ms=self._now_ms(),
        )
        self._log.append(Outgoing(self._flow.models, [encode_descriptor(descriptor)], partition=0))
