"""Is this artifact a model that can be served? A pure function of a request, run in a confined child.

What the child is told and what it answers are the two messages here, as msgpack. The artifact's
size and digest are checked before it gets this far (`models.artifacts`).
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

import msgspec

from modelstream.errors import InvalidModel, ModelFailed, ModelUnavailable, UnsupportedModel
from modelstream.events import FieldSpec
from modelstream.formats import check_hints, format_named
from modelstream.formats.base import Elsewhere, Field, Format, Hints, LoweredModel, Model, Remote
from modelstream.formats.synthetic import synthetic_columns
from modelstream.limits import FIELDS_MAX, LOWERED_BYTES_MAX
from modelstream.messages import Scores
from modelstream.models.refusal import RefusalCode, Refused
from modelstream.models.trial import rehearse, score_rows, verify_golden
from modelstream.wire.descriptor import GoldenRecord
from modelstream.wire.json import Decoder

# How the native libraries word it; Python's own MemoryError is recognised by its type.
_OUT_OF_MEMORY = re.compile(
    r"bad_?alloc|bad allocation|failed to allocate memory|out of memory", re.IGNORECASE
)


_Verdict = TypeVar("_Verdict", bound="Passed | Untried")


class CheckRequest(msgspec.Struct, frozen=True, kw_only=True):
    """An artifact, what its descriptor says of it, and records that it must be able to score.

    `models` are the versions that the artifact refers to, by `name@version`.
    """

    data: bytes
    format: str
    feature_names: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    signature: str = ""
    runtimes: tuple[str, ...] = ()
    models: dict[str, LoweredModel] = {}
    remote: Remote = Remote()  # where remote models may be asked
    functions: dict[str, str] = {}  # what pipelines may call; none is, in the confined child
    bind: dict[str, str | tuple[str, ...]] = {}  # what records call the inputs
    records: tuple[bytes, ...] = ()  # recent ones, JSON
    golden: tuple[GoldenRecord, ...] = ()


class Passed(msgspec.Struct, frozen=True, tag="passed"):
    """The artifact can be served, in its lowered form."""

    lowered: bytes
    inputs: tuple[FieldSpec, ...]
    outputs: tuple[FieldSpec, ...]


class Failed(msgspec.Struct, frozen=True, tag="failed"):
    """The artifact must not be served."""

    code: RefusalCode
    reason: str


class Untried(msgspec.Struct, frozen=True, tag="untried"):
    """The artifact is read and lowered; its model runs in a process of its own (`Elsewhere`)."""

    lowered: bytes


CheckVerdict = Passed | Failed
# What the confined child answers.
ChildVerdict = CheckVerdict | Untried


def check(request: CheckRequest) -> ChildVerdict:
    """Lower, load, warm up and try an artifact; whatever it does wrong is the verdict."""
    return _judged(request, examine)


def check_outside(request: CheckRequest, lowered: bytes) -> CheckVerdict:
    """Load, warm up and try what was lowered in a confined child and cannot be tried in it.

    The model runs in a process of its own, as it will where it is served.
    """
    return _judged(request, lambda chosen, asked: try_out(chosen, lowered, asked))


def _judged(
    request: CheckRequest, judge: Callable[[Format, CheckRequest], _Verdict]
) -> _Verdict | Failed:
    try:
        with _blamed("unknown_format", "this format cannot be used"):
            chosen = format_named(request.format, request.remote, functions=request.functions)
        with _blamed("invalid_model", "the check came to no end"):
            return judge(chosen, request)
    except Refused as refused:
        return Failed(refused.code, refused.reason)


def examine(chosen: Format, request: CheckRequest) -> Passed | Untried:
    """Do what `check` does, with a given format. Raises Refused."""
    with _blamed("invalid_model", f"this is no {chosen.name} model"):
        hints = Hints(
            request.feature_names,
            request.labels,
            request.models,
            request.signature,
            request.runtimes,
        )
        check_hints(chosen.name, hints)
        lowered = chosen.lower(request.data, hints)
    if len(lowered) > LOWERED_BYTES_MAX:
        raise Refused(
            "too_large",
            f"the model has {len(lowered)} bytes once it is read; at most {LOWERED_BYTES_MAX}",
        )
    if isinstance(lowered, Elsewhere):
        return Untried(bytes(lowered))
    return try_out(chosen, lowered, request)


def try_out(chosen: Format, lowered: bytes, request: CheckRequest) -> Passed:
    """Load, warm up and try a lowered form. Raises Refused."""
    with _blamed("invalid_model", "the model cannot be loaded"):
        model = chosen.load(lowered)
    try:
        inputs, outputs = _signature("input", model.inputs), _signature("output", model.outputs)
        _warm_up(model)
        with _blamed("invalid_signature", "records cannot be bound to the inputs"):
            decoder = Decoder(model.inputs, request.bind)
        with _blamed("model_error", "the model fails"):
            rehearse(model, decoder, request.records)
            verify_golden(model, decoder, request.golden)
    finally:
        model.close()
    return Passed(lowered, inputs, outputs)


def _signature(kind: str, fields: Sequence[Field]) -> tuple[FieldSpec, ...]:
    """Check the columns of one side and return them as the registry tells them."""
    if not 1 <= len(fields) <= FIELDS_MAX:
        raise Refused(
            "invalid_signature",
            f"the model has {len(fields)} {kind}s; 1 to {FIELDS_MAX} can be served",
        )
    times = Counter(field.name for field in fields)
    repeated = [name for name, count in times.items() if count > 1]
    if repeated:
        raise Refused(
            "invalid_signature",
            f"{len(repeated)} {kind} names are there more than once, {repeated[0]!r} among them; "
            f"give each {kind} a name of its own",
        )
    return tuple(FieldSpec(each.name, each.type, each.shape, each.optional) for each in fields)


def _warm_up(model: Model) -> None:
    """Score one and two made-up rows, as the serving process will before the first record.

    A model may refuse what is made up, an unknown category say; how it does on real records is
    the rehearsal's to see.
    """
    for rows in (1, 2):
        with _blamed("model_error", "the model fails at warm-up"):
            scores = _score_made_up(model, rows)
        for reason in scores.errors.values():
            if _OUT_OF_MEMORY.search(reason):
                raise Refused("memory", _memory(reason))


def _score_made_up(model: Model, rows: int) -> Scores:
    try:
        return score_rows(model, synthetic_columns(model.inputs, rows), rows)
    except ModelFailed as error:
        if _OUT_OF_MEMORY.search(str(error)):
            raise
        return Scores({})


def _memory(text: str) -> str:
    return f"the model needs more memory than it may have: {text}"


@contextmanager
def _blamed(code: RefusalCode, what: str) -> Iterator[None]:
    """Turn any error of a step into a refusal with this code, or one that fits it better."""
    try:
        yield
    except Refused:
        raise
    except Exception as error:
        text = str(error) or type(error).__name__
        if isinstance(error, MemoryError) or _OUT_OF_MEMORY.search(text):
            raise Refused("memory", _memory(text)) from error
        if isinstance(error, UnsupportedModel):
            raise Refused("unsupported_model", text) from error
        if isinstance(error, ModelUnavailable):
            raise Refused("unavailable", text) from error
        if isinstance(error, InvalidModel):
            raise Refused(code, text) from error
        raise Refused(code, f"{what}: {type(error).__name__}: {text}") from error
