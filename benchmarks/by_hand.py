"""Records scored by loops written by hand, for one model and one kind of record.

They do nothing but what every answer needs: parse, lay into a matrix, run ONNX Runtime, encode. The
fields they write are those of a modelstream result. `ByHand` is the limit, the fastest one known;
`Plainly` is what one writes without looking for the limit. Needs msgspec, NumPy and ONNX Runtime alone, so
that the peers call the very same functions in environments of their own.
"""

import hashlib
import operator
import struct
import time
from collections.abc import Sequence
from itertools import repeat
from typing import Any

import msgspec
import numpy as np
import onnxruntime as ort

BATCH = 256


class Outputs(msgspec.Struct, gc=False, rename={"no": "probability(0)", "yes": "probability(1)"}):
    """What the model answers."""

    label: int
    no: float
    yes: float


class Stamp(msgspec.Struct, gc=False):
    """Which model answered."""

    name: str
    version: str
    digest: str
    as_of: int
    took_us: float


class Answer(msgspec.Struct, gc=False):
    """One result."""

    outputs: Outputs
    model: msgspec.Raw
    data_type: str
    topic: str
    partition: int
    offset: int
    timestamp: int
    record: msgspec.Raw


class ByHand:
    """The limit: one model, and everything about its records known beforehand."""

    def __init__(self, onnx: bytes, features: Sequence[str], topic: str = "records") -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        self._session = ort.InferenceSession(onnx, options, providers=["CPUExecutionProvider"])
        self._input = self._session.get_inputs()[0].name
        self._outputs = [each.name for each in self._session.get_outputs()]
        record = msgspec.defstruct("Record", [(name, float) for name in features], gc=False)
        self._decode = msgspec.json.Decoder(record).decode
        self._pack = struct.Struct(f"{len(features)}f").pack
        self._encode = msgspec.json.Encoder().encode
        self._digest = hashlib.sha256(onnx).hexdigest()
        self._topic = topic

    def answer(self, values: Sequence[bytes], first_offset: int = 0) -> list[bytes]:
        """Answer a batch of JSON records."""
        decode, pack, astuple = self._decode, self._pack, msgspec.structs.astuple
        packed = b"".join([pack(*astuple(decode(value))) for value in values])
        matrix = np.frombuffer(packed, np.float32).reshape(len(values), -1)
        started = time.perf_counter_ns()
        labels, chances = self._session.run(self._outputs, {self._input: matrix})
        took_us = (time.perf_counter_ns() - started) / 1000
        no, yes = chances.T.tolist()
        return list(
            map(
                self._encode,
                map(
                    Answer,
                    map(Outputs, labels.tolist(), no, yes),
                    repeat(self._stamp(took_us)),
                    repeat("records"),
                    repeat(self._topic),
                    repeat(0),
                    range(first_offset, first_offset + len(values)),
                    repeat(time.time_ns() // 1_000_000),
                    map(msgspec.Raw, values),
                ),
            )
        )

    def answer_one(self, value: bytes, offset: int = 0) -> bytes:
        """Answer one JSON record, for an engine that has no batches."""
        packed = self._pack(*msgspec.structs.astuple(self._decode(value)))
        matrix = np.frombuffer(packed, np.float32).reshape(1, -1)
        started = time.perf_counter_ns()
        labels, chances = self._session.run(self._outputs, {self._input: matrix})
        stamp = self._stamp((time.perf_counter_ns() - started) / 1000)
        outputs = Outputs(labels.item(), *chances[0].tolist())
        now = time.time_ns() // 1_000_000
        answer = Answer(outputs, stamp, "records", self._topic, 0, offset, now, msgspec.Raw(value))
        return self._encode(answer)

    def answer_all(self, values: Sequence[bytes]) -> int:
        """Answer many records, BATCH at a time; return how many."""
        done = 0
        for start in range(0, len(values), BATCH):
            done += len(self.answer(values[start : start + BATCH], start))
        return done

    def _stamp(self, took_us: float) -> msgspec.Raw:
        """Encode what is the same for a whole batch once."""
        stamp: Any = Stamp("trees", "1", self._digest, 1, took_us)
        return msgspec.Raw(self._encode(stamp))


class Plainly(ByHand):
    """The same loop as one writes it the first time: clear, batched, without tricks."""

    def __init__(self, onnx: bytes, features: Sequence[str], topic: str = "records") -> None:
        super().__init__(onnx, features, topic)
        self._features = operator.attrgetter(*features)

    def answer(self, values: Sequence[bytes], first_offset: int = 0) -> list[bytes]:
        """Answer a batch of JSON records."""
        rows = [self._decode(value) for value in values]
        matrix = np.array([self._features(row) for row in rows], dtype=np.float32)
        started = time.perf_counter_ns()
        labels, chances = self._session.run(self._outputs, {self._input: matrix})
        took_us = (time.perf_counter_ns() - started) / 1000
        stamp: Any = Stamp("trees", "1", self._digest, 1, took_us)
        now = time.time_ns() // 1_000_000
        return [
            self._encode(
                Answer(
                    Outputs(label, *pair),
                    stamp,
                    "records",
                    self._topic,
                    0,
                    offset,
                    now,
                    msgspec.Raw(value),
                )
            )
            for offset, (value, label, pair) in enumerate(
                zip(values, labels.tolist(), chances.tolist(), strict=True), first_offset
            )
        ]
