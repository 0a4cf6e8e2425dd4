"""From a document to plain data: every model inside is lowered with its own format."""

from contextlib import suppress

from modelstream import limits
from modelstream.errors import InvalidModel, ModelFailed, UnsupportedModel
from modelstream.formats import format_named, recognise
from modelstream.formats.base import Elsewhere, Hints
from modelstream.formats.pipeline.build import (
    NAME,
    REMOTE,
    Outside,
    build,
    check_depth,
    runs_elsewhere,
    told,
)
from modelstream.formats.pipeline.document import (
    Inline,
    Written,
    declared_fields,
    inline_data,
    read_document,
    read_model,
    read_steps,
)
from modelstream.formats.pipeline.model import PipelineModel
from modelstream.formats.pipeline.steps import (
    MODEL,
    VERSION,
    WORDS,
    Lowered,
    Placed,
    Step,
    encode_lowered,
    read_step,
)
from modelstream.formats.pipeline.submodel import ModelStep
from modelstream.formats.synthetic import synthetic_columns


def lower_pipeline(data: bytes, hints: Hints, outside: Outside, depth: int = 1) -> bytes:
    """Return the lowered form of a document whose steps fit each other.

    Nothing `outside` is called or asked here: the form of one that needs it is run Elsewhere.
    Raises InvalidModel, UnsupportedModel.
    """
    check_depth(depth)
    if hints.feature_names or hints.labels:
        raise InvalidModel(
            "a pipeline names its columns itself: give features and labels to the model steps"
        )
    document = read_document(data)
    steps = []
    size = 0
    for written in read_steps(document, WORDS):
        with told(written.label()):
            step = _lowered(written, hints, outside, depth)
            size += len(step.lowered) if isinstance(step, ModelStep) else 0
            if size > limits.LOWERED_BYTES_MAX:
                raise InvalidModel(
                    f"the models up to here have {size} bytes once they are read; "
                    f"at most {limits.LOWERED_BYTES_MAX} are allowed"
                )
        steps.append(Placed(written.name, step))
    form = Lowered(
        version=VERSION,
        declared=tuple(declared_fields(document).values()),
        steps=tuple(steps),
        outputs=tuple(document.outputs),
    )
    model = build(form, outside, depth)
    try:
        if not runs_elsewhere(form):
            return encode_lowered(form)
        _try_models(model)
        return Elsewhere(encode_lowered(form))
    finally:
        model.close()


def _try_models(model: PipelineModel) -> None:
    """Score made-up rows with each model of a document that as a whole is only tried outside.

    What one does wrong, it does here, in the process that is made for it. Versions, those at
    servers among them, had their trial.
    """
    for each in model.steps:
        step = each.placed.step
        if each.model is None or not isinstance(step, ModelStep) or step.origin:
            continue
        if isinstance(each.model, PipelineModel):
            _try_models(each.model)
        else:
            with suppress(ModelFailed):
                each.model.score(synthetic_columns(each.model.inputs, 2))


def _lowered(written: Written, hints: Hints, outside: Outside, depth: int) -> Step:
    if written.word != MODEL:
        return read_step(written)
    options = read_model(written)
    named = options.model
    if isinstance(named, Inline):
        given = Hints(tuple(options.features), tuple(options.labels), hints.models)
        name, lowered = _lower_inline(named, given, outside, depth)
        return ModelStep(name, bytes(lowered), "", options.inputs, options.outputs)
    if options.features or options.labels:
        raise InvalidModel(f"{named} has its features and labels since it was published")
    if named not in hints.models:
        raise UnsupportedModel(
            f"{named!r} is a version of a flow's registry, which is not at hand here; publish "
            "the pipeline to that flow, or put the model into the document"
        )
    known = hints.models[named]
    return ModelStep(known.format, known.lowered, named, options.inputs, options.outputs)


def _lower_inline(inline: Inline, hints: Hints, outside: Outside, depth: int) -> tuple[str, bytes]:
    """Return the format of a model inside the document, and its lowered form."""
    data = inline_data(inline)
    try:
        chosen = format_named(inline.format) if inline.format else recognise(data)
    except ImportError as error:
        raise UnsupportedModel(f"a format is not installed here: {error}") from error
    if chosen.name == REMOTE:
        raise UnsupportedModel(
            "a model at a server is a version of its own: publish its location, and name that "
            "version here"
        )
    if chosen.name == NAME:
        return NAME, lower_pipeline(data, hints, outside, depth + 1)
    return chosen.name, chosen.lower(data, hints)
