"""Sequence rules: which antecedents a record's sequence has, and the outputs of what follows."""

import itertools
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelstream.errors import InvalidModel, UnsupportedModel
from tests.support.pmml import document, load, plain, schema, score

FIELDS = (
    '<DataField name="visits" optype="categorical" dataType="string"/>'
    '<DataField name="customer" optype="categorical" dataType="string"/>'
    '<DataField name="x" optype="continuous" dataType="double"/>'
)
ITEMS = "".join(f'<Item id="i{item}" value="{item}"/>' for item in "abc")
SETS = {"A": "a", "B": "b", "C": "c", "AB": "ab", "none": ""}
ITEMSETS = "".join(
    f'<Itemset id="{name}">{"".join(f"""<ItemRef itemRef="i{i}"/>""" for i in members)}</Itemset>'
    for name, members in SETS.items()
)
GROUP = '<MiningField name="customer" usageType="group"/>'
NEXT = ("acrossTimeWindows", "false")
LATER = ("acrossTimeWindows", "true")
SAME = ("sameTimeWindow", "unknown")
Step = tuple[str, str]


def delimiter(step: Step) -> str:
    return f'<Delimiter delimiter="{step[0]}" gap="{step[1]}"/>'


def sequence(name: str, first: str, *more: tuple[Step, str]) -> str:
    inner = f'<SetReference setId="{first}"/>' + "".join(
        f'{delimiter(step)}<Time min="1" max="9" mean="2.5" standardDeviation="1"/>'
        f'<SetReference setId="{following}"/>'
        for step, following in more
    )
    return f'<Sequence id="{name}" numberOfSets="{len(more) + 1}" support="0.5">{inner}</Sequence>'


def rule(name: str, before: str, step: Step, after: str, confidence: float = 0.5) -> str:
    return (
        f'<SequenceRule id="{name}" numberOfSets="2" occurrence="4" support="0.1" '
        f'confidence="{confidence}"><AntecedentSequence><SequenceReference seqId="{before}"/>'
        f'<Time mean="1"/></AntecedentSequence>{delimiter(step)}<Time mean="2"/>'
        f'<ConsequentSequence><SequenceReference seqId="{after}"/></ConsequentSequence>'
        "</SequenceRule>"
    )


def sequence_model(rules: str, sequences: str, outputs: str = "", more: str = "") -> str:
    output = f"<Output>{outputs}</Output>" if outputs else ""
    return (
        '<SequenceModel functionName="sequences" numberOfTransactions="9" '
        'numberOfTransactionGroups="3" maxNumberOfTAsPerTAGroup="4">'
        f"{schema('visits', extra=GROUP)}{output}{more}{ITEMS}{ITEMSETS}{sequences}{rules}"
        "</SequenceModel>"
    )


def ask(body: str, *visits: Any) -> dict[str, list[Any]]:
    answers = score(document(body, FIELDS), visits=visits)
    assert not answers.errors
    return {name: plain(answers[name]) for name in answers}


SINGLE = sequence("a", "A") + sequence("b", "B") + sequence("c", "C") + sequence("ab", "AB")


def test_the_most_confident_rule_whose_antecedent_is_found_is_the_answer() -> None:
    rules = rule("a then b", "a", LATER, "b", 0.6) + rule("ab then c", "ab", LATER, "c", 0.8)
    body = sequence_model(rules, SINGLE)
    visits: tuple[Any, ...] = (
        [["a"]],
        [["c"], ["a", "b", "unknown"]],
        ["a", "b"],
        "a",
        [],
        None,
        [["b"], "c"],
        "[not a list",
    )
    wanted = ["a then b", "ab then c", "a then b", "a then b", None, None, None, None]
    assert ask(body, *visits) == {"_target": wanted}


@pytest.mark.parametrize(
    ("step", "found"),
    [
        (NEXT, [True, False, False, False]),
        (LATER, [True, True, False, False]),
        (SAME, [False, False, False, True]),
    ],
)
def test_delimiters_say_where_the_next_set_stands(step: Step, found: list[bool]) -> None:
    sequences = sequence("path", "A", (step, "B")) + sequence("c", "C")
    body = sequence_model(rule("r", "path", LATER, "c"), sequences)
    visits = ([["a"], ["b"]], [["a"], ["c"], ["b"]], [["b"], ["a"]], [["b", "a"]])
    assert ask(body, *visits) == {"_target": ["r" if has else None for has in found]}


def test_sets_of_one_record_are_not_found_in_the_next() -> None:
    sequences = sequence("path", "A", (NEXT, "B")) + sequence("far", "A", (LATER, "B"))
    rules = rule("near", "path", LATER, "path") + rule("far", "far", LATER, "far")
    assert ask(sequence_model(rules, sequences), [["a"]], [["b"]], [["a"]]) == {
        "_target": [None, None, None]
    }


def test_outputs_are_those_of_association_rules() -> None:
    rules = rule("1", "a", LATER, "b", 0.6) + rule("2", "ab", NEXT, "c", 0.8)
    outputs = (
        '<OutputField name="new" feature="ruleId"/>'
        '<OutputField name="any" feature="ruleId" algorithm="recommendation"/>'
        '<OutputField name="seen" feature="rule" algorithm="ruleAssociation"/>'
        '<OutputField name="all" feature="ruleValue" ruleFeature="consequent" '
        'algorithm="recommendation" isMultiValued="1" rank="0"/>'
    )
    answers = ask(sequence_model(rules, SINGLE, outputs), [["a", "b"], ["b"]], [["a", "b"], ["c"]])
    assert answers == {
        "_target": ["2", "2"],
        "new": ["2", "1"],
        "any": ["2", "2"],
        "seen": ["{a}->{b}", "{a, b}->{c}"],
        "all": ['["{c}","{b}"]'] * 2,
    }


def test_a_set_predicate_is_a_set_of_values_of_the_field() -> None:
    predicate = (
        '<SetPredicate id="P" field="{}" operator="supersetOf">'
        '<Array type="string" n="2">z "two words"</Array></SetPredicate>'
    )
    sequences = sequence("p", "P") + sequence("a", "A")
    rules = rule("r", "p", LATER, "a")
    body = sequence_model(rules, predicate.format("visits") + sequences)
    assert ask(body, [["two words", "z"]], [["z"]]) == {"_target": ["r", None]}
    with pytest.raises(UnsupportedModel, match="'x'"):
        load(document(sequence_model(rules, predicate.format("x") + sequences), FIELDS))


@settings(max_examples=150, deadline=None)
@given(
    before=st.lists(st.sampled_from(list(SETS)), min_size=1, max_size=3),
    after=st.lists(st.sampled_from(list(SETS)), min_size=1, max_size=2),
    steps=st.lists(st.sampled_from([NEXT, LATER, SAME]), min_size=4, max_size=4),
    visits=st.lists(st.lists(st.sets(st.sampled_from("abc")), max_size=5), min_size=1, max_size=4),
)
def test_rules_are_found_wherever_their_sets_can_stand(
    before: list[str], after: list[str], steps: list[Step], visits: list[list[set[str]]]
) -> None:
    sets = [*before, *after]
    inner = iter(steps)
    written = [
        sequence(name, side[0], *((next(inner), following) for following in side[1:]))
        for name, side in (("before", before), ("after", after))
    ]
    between = next(inner)
    order = [*steps[: len(before) - 1], between, *steps[len(before) - 1 : len(sets) - 2]]
    outputs = (
        '<OutputField name="before" feature="ruleId" algorithm="recommendation"/>'
        '<OutputField name="whole" feature="ruleId" algorithm="ruleAssociation"/>'
    )
    body = sequence_model(rule("r", "before", between, "after"), "".join(written), outputs)
    answers = ask(body, *([sorted(visit) for visit in row] for row in visits))

    def found(row: list[set[str]], wanted: list[str]) -> bool:
        return any(
            all(set(SETS[name]) <= row[place] for name, place in zip(wanted, places, strict=True))
            and all(
                {NEXT: right == left + 1, LATER: right > left, SAME: right == left}[step]
                for step, (left, right) in zip(order, itertools.pairwise(places), strict=False)
            )
            for places in itertools.product(range(len(row)), repeat=len(wanted))
        )

    assert answers["before"] == ["r" if found(row, before) else None for row in visits]
    assert answers["whole"] == ["r" if found(row, sets) else None for row in visits]


def test_what_is_not_evaluated_of_sequences_is_refused_by_name() -> None:
    fine = sequence_model(rule("r", "a", LATER, "b"), SINGLE)
    refusals = {
        "gap='unknown'": fine.replace('gap="true"', 'gap="unknown"'),
        "maximum_itemset_separation_time": sequence_model(
            rule("r", "a", LATER, "b"),
            SINGLE,
            more='<Constraints minimumSupport="0.1" maximumItemsetSeparationTime="3"/>',
        ),
        "'x'": fine.replace('id="ia"', 'id="ia" field="x"'),
        "one active field": fine.replace(GROUP, '<MiningField name="x"/>'),
        "not of type string": fine.replace('name="visits"', 'name="x"'),
    }
    for words, body in refusals.items():
        with pytest.raises(UnsupportedModel, match=words):
            load(document(body, FIELDS))


def test_dangling_references_are_refused() -> None:
    fine = sequence_model(rule("r", "a", LATER, "b"), SINGLE)
    refusals = {
        "Item 'i9'": fine.replace('itemRef="ia"', 'itemRef="i9"'),
        "set 'Z'": fine.replace('setId="A"', 'setId="Z"'),
        "Sequence 'z'": fine.replace('seqId="a"', 'seqId="z"'),
        "id of its own": sequence_model(rule("r", "a", LATER, "b") * 2, SINGLE),
        "same id": fine.replace('<Itemset id="B"', '<Itemset id="A"'),
        "one between": fine.replace(
            '<SetReference setId="A"/>', '<SetReference setId="A"/><SetReference setId="B"/>', 1
        ),
    }
    for words, body in refusals.items():
        with pytest.raises(InvalidModel, match=words):
            load(document(body, FIELDS))


def test_limits_of_what_was_looked_for_are_documentation() -> None:
    constraints = '<Constraints minimumSupport="0.4" minimumTotalSequenceTime="0"/>'
    body = sequence_model(rule("r", "a", LATER, "b"), SINGLE, more=constraints)
    assert ask(body, [["a"]]) == {"_target": ["r"]}


def test_a_sequence_model_is_told_by_its_sets_sequences_and_rules() -> None:
    body = sequence_model(rule("r", "a", LATER, "b"), SINGLE)
    structure = load(document(body, FIELDS)).describe().structure
    assert structure.kind == "SequenceModel"
    facts = {"function": "sequences", "items": 3, "sets": 5, "sequences": 4, "rules": 1}
    assert structure.facts == facts
