"""Tell what a pipeline is: its steps as parts, and the models inside them."""

from collections.abc import Sequence

from modelstream import limits
from modelstream.formats import limits as format_limits
from modelstream.formats.base import (
    Description,
    Field,
    Header,
    InputFacts,
    Model,
    OutputFacts,
    Part,
)
from modelstream.formats.pipeline.calling import Python
from modelstream.formats.pipeline.steps import VERSION, Placed
from modelstream.formats.pipeline.submodel import ModelStep


def describe_pipeline(
    inputs: Sequence[Field], outputs: Sequence[Field], steps: Sequence[Part]
) -> Description:
    """Return the description of a pipeline of described steps."""
    return Description(
        "pipeline",
        str(VERSION),
        Header(),
        tuple(InputFacts(each.name, each.type, each.shape, each.optional) for each in inputs),
        tuple(OutputFacts(each.name, each.type, each.shape) for each in outputs),
        Part(
            "pipeline",
            {"steps": len(steps)},
            tuple(steps[: format_limits.DESCRIBED_PARTS_MAX]),
            max(len(steps) - format_limits.DESCRIBED_PARTS_MAX, 0),
        ),
    )


def describe_step(placed: Placed, made: Sequence[str], model: Model | None) -> Part:
    """Return a step as a part, and the model inside it as a part of that."""
    facts: dict[str, str | int | float] = {}
    if placed.name:
        facts["name"] = placed.name
    step = placed.step
    if isinstance(step, ModelStep):
        facts |= {"version": step.origin or "(in the document)", "format": step.format}
    elif isinstance(step, Python):
        facts["function"] = step.python.function
    shown = ", ".join(made[: limits.DRAWN_FIELDS_MAX])
    facts["makes"] = shown + (", ..." if len(made) > limits.DRAWN_FIELDS_MAX else "")
    inside = () if model is None else (model.describe().structure,)
    return Part(placed.word(), facts, inside)
