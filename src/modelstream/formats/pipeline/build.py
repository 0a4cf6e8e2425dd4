"""From a lowered pipeline to a model: its inner models are loaded, its steps bound in order."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from modelstream.errors import InvalidModel, UnsupportedModel
from modelstream.formats import format_named, limits
from modelstream.formats.base import Field, Function, Model, Remote
from modelstream.formats.pipeline.calling import Python, bind_function
from modelstream.formats.pipeline.model import BoundStep, PipelineModel
from modelstream.formats.pipeline.scope import Scope
from modelstream.formats.pipeline.step import Run
from modelstream.formats.pipeline.steps import Lowered, Step, decode_lowered
from modelstream.formats.pipeline.submodel import ModelStep, bind_model

NAME = "pipeline"
REMOTE = "remote"


@dataclass(frozen=True, slots=True)
class Outside:
    """What a pipeline may ask for that is not in it.

    `find` returns a function of the flow's owner by its registered name, and raises InvalidModel
    where there is none. `remote` are the servers that the flow allows.
    """

    find: Callable[[str], Function]
    remote: Remote


def build(form: Lowered, outside: Outside, depth: int = 1) -> PipelineModel:
    """Return the model; `depth` counts the pipelines that it is in, and itself.

    Raises InvalidModel, UnsupportedModel.
    """
    check_depth(depth)
    if not 1 <= len(form.steps) <= limits.PIPELINE_STEPS_MAX:
        raise InvalidModel(f"a pipeline has 1 to {limits.PIPELINE_STEPS_MAX} steps")
    _check_servers(form)
    scope = Scope({field.name: field for field in form.declared})
    with ExitStack() as loaded:
        steps = []
        for number, placed in enumerate(form.steps, 1):
            label = placed.label(number)
            with told(label):
                scope.enter(label)
                step = placed.step
                model = _load(step, outside, depth) if isinstance(step, ModelStep) else None
                if model is not None:
                    loaded.callback(model.close)
                run = _bound(step, model, scope, outside)
                steps.append(BoundStep(label, placed, run, tuple(scope.made), model))
        outputs = _outputs(form.outputs or tuple(scope.made), scope)
        if not scope.inputs:
            raise InvalidModel("the pipeline reads nothing of a record")
        return PipelineModel(
            inputs=tuple(scope.inputs.values()),
            outputs=outputs,
            steps=tuple(steps),
            opened=loaded.pop_all(),
        )


def runs_elsewhere(form: Lowered) -> bool:
    """Tell a pipeline that cannot be run where it is lowered: it calls a function or a server."""
    return any(_steps_outside(form))


def asks_server(lowered: bytes) -> bool:
    """Tell a lowered pipeline that is answered by a server, too. Raises InvalidModel."""
    return any(isinstance(step, ModelStep) for step in _steps_outside(decode_lowered(lowered)))


def _steps_outside(form: Lowered) -> Iterator[Python | ModelStep]:
    """Yield the steps that are functions or at a server, those of pipelines inside it too."""
    for placed in form.steps:
        step = placed.step
        if isinstance(step, ModelStep) and step.format == NAME:
            yield from _steps_outside(decode_lowered(step.lowered))
        elif isinstance(step, Python) or (isinstance(step, ModelStep) and step.format == REMOTE):
            yield step


def _check_servers(form: Lowered) -> None:
    """Raise UnsupportedModel where one batch would wait for several servers in turn."""
    asked = [step.origin for step in _steps_outside(form) if isinstance(step, ModelStep)]
    if len(asked) > 1:
        raise UnsupportedModel(
            f"the pipeline asks servers {len(asked)} times ({', '.join(asked)}); one step may, "
            "because a batch has the time for one"
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


def _bound(step: Step, model: Model | None, scope: Scope, outside: Outside) -> Run:
    if isinstance(step, ModelStep):
        assert model is not None, "it was loaded"
        return bind_model(step, model, scope)
    if isinstance(step, Python):
        return bind_function(step, outside.find(step.python.function), scope)
    return step.bind(scope)


def _load(step: ModelStep, outside: Outside, depth: int) -> Model:
    if step.format == NAME:
        return build(decode_lowered(step.lowered), outside, depth + 1)
    try:
        return format_named(step.format, outside.remote).load(step.lowered)
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
