"""The element type of how often a category was seen (DMG 4.4, Trees: ScoreDistribution)."""

from modelstream.formats.pmml.elements.base import Element


class ScoreDistribution(Element, kw_only=True, frozen=True):
    """How often a node or a rule saw a category."""

    value: str
    record_count: float | None = None
    confidence: float | None = None
    probability: float | None = None
