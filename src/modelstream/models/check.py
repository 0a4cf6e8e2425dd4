"""Is this artifact a model that can be served? A pure function of a request, run in a confined child.

What the child is told and what it answers are the two messages here, as msgpack. The artifact's
size and digest are checked before it gets this far (`models.artifacts`).
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import msgspec

from modelstream.errors import InvalidModel, ModelFailed, UnsupportedModel
from modelstream.events import FieldSpec
from modelstream.formats import format_named
from modelstream.formats.base import Field, Format, Hints, LoweredModel, Model
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


class CheckRequest(msgspec.Struct, frozen=True, kw_only=True):
    """An artifact, what its descriptor says of it, and records that it must be able to score.

    `models` are the versions that the artifact refers to, by `name@version`.
    """

    data: bytes
    format: str
    feature_names: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    models: dict[str, LoweredModel] = {}
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


CheckVerdict = Passed | Failed


def check(request: CheckRequest) -> CheckVerdict:
    """Lower, load, warm up and try an artifact; whatever it does wrong is the verdict."""
    try:
        with _blamed("unknown_format", "this format cannot be used"):
            chosen = format_named(request.format)
        with _blamed("invalid_model", "the check came to no end"):
            return examine(chosen, request)
    except Refused as refused:
        return Failed(refused.code, refused.reason)


def examine(chosen: Format, request: CheckRequest) -> Passed:
    """Do what `check` does, with a given format. Raises Refused."""
    with _blamed("invalid_model", f"this is no {chosen.name} model"):
        hints = Hints(request.feature_names, request.labels, request.models)
        lowered = chosen.lower(request.data, hints)
    if len(lowered) > LOWERED_BYTES_MAX:
        raise Refused(
            "too_large",
            f"the model has {len(lowered)} bytes once it is read; at most {LOWERED_BYTES_MAX}",
        )
    with _blamed("invalid_model", "the model cannot be loaded"):
        model = chosen.load(lowered)
    inputs, outputs = _signature("input", model.inputs), _signature("output", model.outputs)
    _warm_up(model)
    with _blamed("invalid_signature", "records cannot be bound to the inputs"):
        decoder = Decoder(model.inputs)
    with _blamed("model_error", "the model fails"):
        rehearse(model, decoder, request.records)
        verify_golden(model, decoder, request.golden)
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
        if isinstance(error, InvalidModel):
            raise Refused(code, text) from error
        raise Refused(code, f"{what}: {type(error).__name__}: {text}") from error
