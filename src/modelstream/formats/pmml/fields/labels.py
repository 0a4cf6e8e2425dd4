"""The categories of a classification's target, under the texts that a document has for them."""

from collections.abc import Callable, Iterable

from modelstream.errors import InvalidModel
from modelstream.formats.pmml.elements.fields import DataField
from modelstream.formats.pmml.fields.dictionary import valid_values
from modelstream.formats.pmml.fields.values import parse


def target_labels(data: DataField | None, met: Iterable[str]) -> tuple[str, ...]:
    """Return the categories declared for a target, or else those that its model has met."""
    declared = () if data is None else valid_values(data)
    labels = declared or tuple(dict.fromkeys(met))
    if len(labels) < 2:
        raise InvalidModel("a classification needs two or more categories; declare its target's")
    return labels


def label_finder(labels: tuple[str, ...]) -> Callable[[str], int]:
    """Return what finds the position of a label by its text, or by its number: 1 is 1.0."""

    def find(text: str) -> int:
        if text in labels:
            return labels.index(text)
        for position, label in enumerate(labels):
            try:
                if parse(label, "double") == parse(text, "double"):
                    return position
            except ValueError:
                continue
        raise InvalidModel(f"{text!r} is not a category of the target: {', '.join(labels)}")

    return find
