"""From a lowered pipeline to a model: its inner models are loaded, its steps bound in order."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from modelstream.errors import InvalidModel, UnsupportedModel
from modelstream.formats import format_named, limits
from modelstream.formats.base import Field, Model
from modelstream.formats.pipeline.model import BoundStep, PipelineModel
from modelstream.formats.pipeline.scope import Scope
from modelstream.formats.pipeline.steps import Lowered, Placed, decode_lowered
from modelstream.formats.pipeline.submodel import ModelStep, bind_model

NAME = "pipeline"


def build(form: Lowered, depth: int = 1) -> PipelineModel:
    """Return the model; `depth` counts the pipelines that it is in, and itself.

    Raises InvalidModel, UnsupportedModel.
    """
    check_depth(depth)
    if not 1 <= len(form.steps) <= limits.PIPELINE_STEPS_MAX:
        raise InvalidModel(f"a pipeline has 1 to {limits.PIPELINE_STEPS_MAX} steps")
    scope = Scope({field.name: field for field in form.declared})
    with ExitStack() as loaded:
        steps = []
        for number, placed in enumerate(form.steps, 1):
            label = placed.label(number)
            with told(label):
                scope.enter(label)
                steps.append(_bound(placed, label, scope, depth, loaded))
        outputs = _outputs(form.outputs or tuple(scope.made), scope)
        if not scope.inputs:
            raise InvalidModel("the pipeline reads nothing of a record")
        return PipelineModel(
            inputs=tuple(scope.inputs.values()),
            outputs=outputs,
            steps=tuple(steps),
            opened=loaded.pop_all(),
        )


def check_depth(depth: int) -> None:
    """Raise UnsupportedModel where pipelines are nested too deeply."""
    if depth > limits.PIPELINE_DEPTH_MAX:
        raise UnsupportedModel(
            f"pipelines are in pipelines {limits.PIPELINE_DEPTH_MAX} deep at most; put the steps "
            "of the innermost one into the one around it"
        )


@contextmanager
def told(label: str) -> Iterator[None]:
    """Begin the reason of what is raised with the step that it is about."""
    try:
        yield
    except UnsupportedModel as error:
        raise UnsupportedModel(f"{label}: {error}") from error
    except InvalidModel as error:
        raise InvalidModel(f"{label}: {error}") from error


def _bound(placed: Placed, label: str, scope: Scope, depth: int, loaded: ExitStack) -> BoundStep:
    step = placed.step
    if not isinstance(step, ModelStep):
        return BoundStep(label, placed, step.bind(scope), tuple(scope.made))
    model = _load(step, depth)
    loaded.callback(model.close)
    return BoundStep(label, placed, bind_model(step, model, scope), tuple(scope.made), model)


def _load(step: ModelStep, depth: int) -> Model:
    if step.format == NAME:
        return build(decode_lowered(step.lowered), depth + 1)
    if step.format == "remote":
        raise UnsupportedModel(
            "a pipeline cannot ask a server: it is checked where there is no network; publish the "
            "model's location by itself"
        )
    try:
        return format_named(step.format).load(step.lowered)
    except ImportError as error:
        raise UnsupportedModel(f"format {step.format!r} is not installed here: {error}") from error


def _outputs(names: tuple[str, ...], scope: Scope) -> tuple[Field, ...]:
    """Return the fields that the pipeline answers with."""
    scope.enter("the pipeline's outputs")
    fields = []
    for name in names:
        if not scope.present(name):
            raise InvalidModel(f"output {name!r} is not there after the last step")
        known = scope.known(name)
        fields.append(Field(name, known.type, known.shape))
    if not fields or len(set(names)) < len(names):
        raise InvalidModel("a pipeline has outputs, each of another name")
    return tuple(fields)
