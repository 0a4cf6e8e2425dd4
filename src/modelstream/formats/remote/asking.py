"""Asking a server for the answers to a batch: in parts where it is large, by halves where it refuses.

What is decided here is whose fault it is. A server that refuses a batch is asked whether it is still
the one that was admitted; only then is a record to blame, and it is found by halving.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from modelstream.errors import InvalidModel, ModelUnavailable
from modelstream.formats.remote.breaker import Breaker
from modelstream.formats.remote.deadline import Deadline
from modelstream.formats.remote.document import Document, Tensor
from modelstream.formats.remote.peer import Answer, Peer, ServerRefused
from modelstream.formats.remote.servers import told_by
from modelstream.formats.remote.values import dtype_of
from modelstream.limits import REMOTE_REQUEST_VALUES_MAX
from modelstream.messages import Column

Tensors = Mapping[str, Column]


@dataclass(slots=True)
class Answers:
    """What became of the rows of a batch: `parts` of it, in order, and the rows `refused`, with why.

    `versions` are those that the server says it asked.
    """

    parts: list[tuple[range, Tensors]] = field(default_factory=list)
    refused: dict[int, str] = field(default_factory=dict)
    versions: set[str] = field(default_factory=set)
    checked: bool = False  # the server is the one that was admitted, and of sound mind


class Server:
    """The model that a document tells of, at its server; several threads may ask at once."""

    def __init__(self, document: Document, peer: Peer, timeout_ms: int) -> None:
        self._document, self._peer, self._timeout_ms = document, peer, timeout_ms
        self._breaker = Breaker()
        self._good: Tensors = {}  # a row that it answered, to tell a bad row from a bad server

    def ask(self, feeds: Tensors, rows: int) -> Answers:
        """Have `rows` rows answered. Raises ModelUnavailable where no row is to blame."""
        probe = self._breaker.admit()
        answers = Answers()
        values = sum(tensor.size for tensor in feeds.values())
        most = max(1, REMOTE_REQUEST_VALUES_MAX * rows // max(1, values))
        try:
            deadline = Deadline.after_ms(self._timeout_ms)
            if probe:
                self._check(deadline)
            for start in range(0, rows, most):
                part = range(start, min(rows, start + most))
                self._ask_part(feeds, part, answers, deadline)
        except ModelUnavailable as error:
            self._breaker.failed(str(error))
            raise
        self._breaker.succeeded()
        return answers

    def _ask_part(self, feeds: Tensors, rows: range, answers: Answers, deadline: Deadline) -> None:
        part = {name: tensor[rows.start : rows.stop] for name, tensor in feeds.items()}
        try:
            answer = self._infer(part, len(rows), deadline)
        except ServerRefused as refused:
            if not answers.checked:
                self._check(deadline)
                answers.checked = True
            if len(rows) == 1:
                answers.refused[rows.start] = f"the server refuses the record: {refused}"
                return
            middle = rows.start + len(rows) // 2
            self._ask_part(feeds, range(rows.start, middle), answers, deadline)
            self._ask_part(feeds, range(middle, rows.stop), answers, deadline)
            return
        if not self._good:
            self._good = {name: tensor[:1].copy() for name, tensor in part.items()}
        answers.parts.append((rows, answer.tensors))
        answers.versions |= {answer.version} - {""}

    def _infer(self, feeds: Tensors, rows: int, deadline: Deadline) -> Answer:
        """Ask once, and check that the answer is what the server told that it would be."""
        try:
            answer = self._peer.infer(self._document, feeds, deadline)
            tensors = {
                each.name: _fitting(each, answer.tensors.get(each.name), rows)
                for each in self._document.outputs
            }
        except (InvalidModel, ValueError) as error:
            self._check(deadline)
            raise self._changed(str(error)) from error
        return Answer(tensors, answer.version)

    def _check(self, deadline: Deadline) -> None:
        """Check that the server has the model that was admitted, and can answer anything at all.

        Raises ModelUnavailable where not.
        """
        try:
            now = told_by(self._peer, self._document.location, deadline)
        except InvalidModel as error:
            raise self._changed(str(error)) from error
        was = self._document
        if was.binary and not now.binary:
            raise self._changed("it no longer takes raw tensors")
        if (now.signature, now.inputs, now.outputs) != (was.signature, was.inputs, was.outputs):
            told = _shown(now.inputs) + " to " + _shown(now.outputs)
            raise self._changed(
                f"it is from {told}, it was from {_shown(was.inputs)} to {_shown(was.outputs)}"
            )
        if self._good:
            try:
                self._peer.infer(was, self._good, deadline)
            except (ServerRefused, ValueError) as error:
                raise ModelUnavailable(
                    f"the server of {was.location} refuses even a record that it answered before: "
                    f"{error}; look at its log"
                ) from error

    def _changed(self, how: str) -> ModelUnavailable:
        return ModelUnavailable(
            f"{self._document.location} is not the model that was admitted: {how}; publish it "
            f"again, or promote another version"
        )


def _fitting(told: Tensor, tensor: Column | None, rows: int) -> Column:
    """Return an output as it was told to be. Raises ValueError where it is not.

    A column may come as [N] or [N, 1], whatever was told: servers mix the two up.
    """
    if tensor is None:
        raise ValueError(f"output {told.name!r} is missing")
    if tensor.dtype != dtype_of(told.element):
        raise ValueError(f"output {told.name!r} is of {tensor.dtype}, not {told.element}")
    if told.shape in {(), (1,)} and tensor.shape in {(rows,), (rows, 1)}:
        return tensor.reshape(rows, *told.shape)
    fits = len(tensor.shape) == 1 + len(told.shape) and all(
        want in {None, size} for size, want in zip(tensor.shape, (rows, *told.shape), strict=True)
    )
    if not fits:
        raise ValueError(
            f"output {told.name!r} is of shape {list(tensor.shape)}, not {[rows, *told.shape]}"
        )
    return tensor


def _shown(tensors: tuple[Tensor, ...]) -> str:
    """Return a few tensors in words."""
    told = [
        f"{each.name} {each.element}{['N', *(each.shape)]}".replace("None", "?").replace("'", "")
        for each in tensors[:5]
    ]
    return ", ".join(told) + (", ..." if len(tensors) > len(told) else "")
