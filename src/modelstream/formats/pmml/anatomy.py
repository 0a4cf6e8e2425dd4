"""What a document's model is made of: its own facts, and those of the models inside it."""

from modelstream.formats.base import Part
from modelstream.formats.pmml.elements.models import (
    AnomalyDetectionModel,
    MiningModel,
    ModelElement,
    Segment,
    TreeModel,
)
from modelstream.formats.pmml.elements.predicates import Always
from modelstream.formats.pmml.elements.vocabulary import tag_of
from modelstream.formats.pmml.facts import Facts, family_facts, node_facts


def describe_model(model: ModelElement, room: int, own: Facts | None = None) -> Part:
    """Return what a model is made of; `room` bounds the parts, `own` are facts to begin with."""
    facts = {**(own or {}), **_common(model)}
    inner: tuple[tuple[ModelElement, Facts], ...] = ()
    if isinstance(model, MiningModel):
        facts.update(_ensemble(model))
        segments = model.segmentation.segments
        inner = tuple((s.model, _segment(s)) for s in segments if s.model is not None)
    elif isinstance(model, AnomalyDetectionModel):
        facts["anomalies by"] = model.algorithm_type
        inner = ((model.model, {}),)
    else:
        facts.update(family_facts(model))
    shown = min(len(inner), room)
    rest = room // shown - 1 if shown else 0
    parts = tuple(describe_model(each, rest, its) for each, its in inner[:shown])
    known = {name: value for name, value in facts.items() if value is not None}
    return Part(tag_of(type(model)), known, parts, len(inner) - shown)


def _common(model: ModelElement) -> Facts:
    derived = model.local_transformations
    return {
        "name": model.model_name,
        "function": model.function_name,
        "algorithm": model.algorithm_name,
        "derived fields": None if derived is None else len(derived.fields),
    }


def _segment(segment: Segment) -> Facts:
    return {
        "segment": segment.id,
        "weight": None if segment.weight == 1.0 else segment.weight,
        "for": None if isinstance(segment.predicate, Always) else tag_of(type(segment.predicate)),
    }


def _ensemble(model: MiningModel) -> Facts:
    segments = model.segmentation.segments
    trees = [s.model.node for s in segments if isinstance(s.model, TreeModel)]
    facts: Facts = {"method": model.segmentation.multiple_model_method, "segments": len(segments)}
    if trees:
        facts.update(
            {"trees": len(trees), **node_facts(node for node in trees if node is not None)}
        )
    return facts
