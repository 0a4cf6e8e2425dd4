"""The element types of predictors, which several kinds of models have (DMG 4.4, Regression)."""

from modelstream.formats.pmml.elements.base import Element


class CategoricalPredictor(Element, kw_only=True, frozen=True):
    """A coefficient where a field has a value."""

    name: str
    value: str
    coefficient: float
