"""Models for tests of what is around a model: as simple or as wicked as a test needs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from modelstream.formats.base import Description, Field, Header, InputFacts, OutputFacts, Part
from modelstream.messages import Column, Columns, Scores


def describe_fake(inputs: Sequence[Field], outputs: Sequence[Field]) -> Description:
    """Return the description of a model that has a signature and nothing inside."""
    return Description(
        "fake",
        "1",
        Header(),
        tuple(InputFacts(each.name, each.type, each.shape, each.optional) for each in inputs),
        tuple(OutputFacts(each.name, each.type, each.shape) for each in outputs),
        Part("fake"),
    )


@dataclass
class FakeModel:
    """Answers y = sum of its inputs, or what `answer` makes of the columns."""

    inputs: tuple[Field, ...] = (Field("x", "float64"),)
    outputs: tuple[Field, ...] = (Field("y", "float64"),)
    answer: Callable[[Columns], Columns] | None = None
    errors_at: Callable[[Column], dict[int, str]] | None = None
    raises_at: Sequence[float] = ()
    closed: bool = False
    sizes: list[int] = field(default_factory=list)

    def score(self, columns: Columns) -> Scores:
        first = columns[self.inputs[0].name]
        self.sizes.append(len(first))
        if np.isin(first, list(self.raises_at)).any():
            raise ArithmeticError("no answer to that")
        if self.answer is not None:
            return Scores(self.answer(columns))
        total: Column = np.sum([columns[each.name] for each in self.inputs], axis=0)
        errors = self.errors_at(first) if self.errors_at else {}
        return Scores({"y": total}, errors)

    def describe(self) -> Description:
        return describe_fake(self.inputs, self.outputs)

    def close(self) -> None:
        self.closed = True
