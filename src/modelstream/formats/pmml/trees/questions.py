"""What the tests of a forest ask: the inputs they read, and predicates as questions of them."""

from collections.abc import Callable, Collection, Mapping
from math import inf, isnan

from modelstream.errors import InvalidModel, UnsupportedModel
from modelstream.formats import limits
from modelstream.formats.pmml.elements.forests import (
    ChoiceInput,
    CodeInput,
    ForestInput,
    NumberInput,
)
from modelstream.formats.pmml.elements.predicates import (
    CompoundPredicate,
    Predicate,
    SimplePredicate,
    SimpleSetPredicate,
)
from modelstream.formats.pmml.expressions.predicates import (
    declared_set,
    declared_value,
    ordinal_set,
)
from modelstream.formats.pmml.fields.scope import Field, Scope
from modelstream.formats.pmml.fields.values import is_text, write
from modelstream.formats.pmml.trees.decisions import Asked, Decisions, Question, numeric_question
from modelstream.formats.pmml.trees.vocabulary import Values, Vocabulary, nested
from modelstream.formats.trees.onnx_graph import LESS_OR_EQUAL

PRESENCE = frozenset({"isMissing", "isNotMissing"})


class Questions:
    """The inputs of one forest, numbered as they are first asked for.

    `sets` are those that its trees will ask for, by field.
    """

    def __init__(self, scope: Scope, sets: Mapping[str, Collection[Values]]) -> None:
        self._scope = scope
        self._sets = sets
        self._inputs: list[NumberInput | ChoiceInput | Vocabulary] = []
        self._numbers: dict[object, int] = {}
        self._fields: dict[str, Field] = {}
        self._choices = 0
        # Inputs that are never missing; it grows as they are asked for.
        self.certain: set[int] = set()

    def inputs(self) -> tuple[ForestInput, ...]:
        """Return the inputs; there is always one, since a graph without any cannot run."""
        return tuple(map(self._input, self._inputs)) or (ChoiceInput(predicates=()),)

    def ask(self, asked: SimplePredicate | SimpleSetPredicate) -> Asked:
        """Return the question that a predicate asks; of isMissing the input alone counts."""
        name = asked.field
        known = self._find(name)
        text = is_text(known.data_type)
        predicate = asked
        if isinstance(predicate, SimplePredicate):
            predicate = ordinal_set(predicate, known)
        if isinstance(predicate, SimpleSetPredicate):
            number, vocabulary = self._vocabulary(name)
            asked_set = vocabulary.is_in(number, declared_set(predicate, known))
            return asked_set.turned(negate=predicate.boolean_operator == "isNotIn")
        if predicate.operator in PRESENCE:
            number = self._vocabulary(name)[0] if text else self._number(name)
            return Asked(Question(number, LESS_OR_EQUAL, 0.0))
        value = declared_value(predicate, known)
        if isinstance(value, str):
            number, vocabulary = self._vocabulary(name)
            asked_value = vocabulary.equals(number, value)
            return asked_value.turned(negate=predicate.operator == "notEqual")
        if value is None or isnan(value) or value == -inf:
            raise InvalidModel(f"SimplePredicate on field {name!r} compares with {value}")
        boolean = known.data_type == "boolean"
        return numeric_question(self._number(name), predicate.operator, value, boolean=boolean)

    def choice(
        self, decisions: Decisions, predicates: tuple[Predicate, ...], unknown: int | None
    ) -> int:
        """Return the graph over a column that numbers the first true predicate.

        End -1 - i is the i-th predicate's; the count of predicates stands for none, the number
        after it for an unknown one unless `unknown` is another.
        """
        column = ChoiceInput(predicates=predicates, unknown=unknown)
        number = self._place(column, lambda: column)
        self._choices = sum(isinstance(known, ChoiceInput) for known in self._inputs)
        if self._choices > limits.PMML_CHOICES_MAX:
            raise UnsupportedModel(
                f"more than {limits.PMML_CHOICES_MAX} tree nodes with predicates that reach a "
                "child in several ways"
            )
        last = len(predicates) + (unknown == len(predicates) + 1)

        def halve(low: int, high: int) -> int:
            if low == high:
                return -1 - low
            middle = (low + high) // 2
            below, above = halve(low, middle), halve(middle + 1, high)
            return decisions.threshold(number, middle + 0.5, below, above)

        return halve(0, last)

    def present_if_true(self, predicate: Predicate) -> frozenset[int]:
        """Return the inputs that are certainly not missing where a predicate is true."""
        if isinstance(predicate, SimpleSetPredicate):
            return frozenset({self._vocabulary(predicate.field)[0]})
        if isinstance(predicate, SimplePredicate) and predicate.operator != "isMissing":
            known = self._find(predicate.field)
            if known.order or is_text(known.data_type):
                return frozenset({self.ask(predicate).question.input})
            return frozenset({self._number(predicate.field)})
        if isinstance(predicate, CompoundPredicate):
            parts = [self.present_if_true(part) for part in predicate.predicates]
            if predicate.boolean_operator == "and":
                return frozenset().union(*parts)
            if predicate.boolean_operator == "or":
                return frozenset.intersection(*parts)
        return frozenset()  # isMissing and an exclusive or can be true by what is missing

    def _find(self, name: str) -> Field:
        known = self._fields.get(name)
        if known is None:
            known = self._fields[name] = self._scope.find(name)
        return known

    def _number(self, name: str) -> int:
        key = ("number", name)
        known = self._numbers.get(key)
        return self._place(key, lambda: NumberInput(field=name)) if known is None else known

    def _vocabulary(self, name: str) -> tuple[int, Vocabulary]:
        number = self._place(("code", name), lambda: self._make_vocabulary(name))
        vocabulary = self._inputs[number]
        assert isinstance(vocabulary, Vocabulary)
        return number, vocabulary

    def _make_vocabulary(self, name: str) -> Vocabulary:
        known = self._scope.find(name)
        closed = nested(known.values, self._sets.get(name, ())) if known.closed else ()
        return Vocabulary(name, closed)

    def _place(
        self, key: object, make: Callable[[], NumberInput | ChoiceInput | Vocabulary]
    ) -> int:
        number = self._numbers.get(key)
        if number is None:
            number = self._numbers[key] = len(self._inputs)
            made = make()
            self._inputs.append(made)
            if isinstance(made, Vocabulary) and self._scope.find(made.name).certain:
                self.certain.add(number)
            if isinstance(made, NumberInput) and self._scope.find(made.field).certain:
                self.certain.add(number)
        return number

    def _input(self, known: NumberInput | ChoiceInput | Vocabulary) -> ForestInput:
        if not isinstance(known, Vocabulary):
            return known
        data_type = self._scope.find(known.name).data_type
        return CodeInput(
            field=known.name, values=tuple(write(value, data_type) or "" for value in known.codes)
        )
