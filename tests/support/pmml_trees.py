"""Random TreeModels and rows for them, made to meet every corner of the standard's text."""

from xml.etree import ElementTree as ET

from hypothesis import strategies as st

from tests.support.pmml_reference import Row

NUMBERS = ("u", "v")
WHOLE = "k"
WORD = "w"
WORDS = ("red", "green", "blue", "grey")
FIELDS = (
    '<DataField name="u" optype="continuous" dataType="double"/>'
    '<DataField name="v" optype="continuous" dataType="double"/>'
    '<DataField name="k" optype="categorical" dataType="integer"/>'
    '<DataField name="w" optype="categorical" dataType="string"/>'
    '<DataField name="kind" optype="categorical" dataType="string"/>'
)
STRATEGIES = ("none", "lastPrediction", "nullPrediction", "defaultChild")

_values = st.sampled_from(["-1", "-0.5", "0", "0.25", "1", "1.5"])
_operators = st.sampled_from(
    ["lessThan", "lessOrEqual", "greaterThan", "greaterOrEqual", "equal", "notEqual"]
)
_presence = st.sampled_from(["isMissing", "isNotMissing"])


@st.composite
def simple_predicates(draw: st.DrawFn) -> ET.Element:
    """Return a predicate on one field."""
    kind = draw(st.integers(0, 9))
    if kind == 0:
        return ET.Element(draw(st.sampled_from(["True", "False"])))
    if kind == 1:
        field = draw(st.sampled_from([*NUMBERS, WHOLE, WORD]))
        return ET.Element("SimplePredicate", field=field, operator=draw(_presence))
    if kind <= 5:
        field, value = draw(st.sampled_from(NUMBERS)), draw(_values)
        return ET.Element("SimplePredicate", field=field, operator=draw(_operators), value=value)
    if kind == 6:
        value = draw(st.sampled_from(WORDS))
        operator = draw(st.sampled_from(["equal", "notEqual"]))
        return ET.Element("SimplePredicate", field=WORD, operator=operator, value=value)
    words = kind >= 8
    field, options = (WORD, WORDS) if words else (WHOLE, ("0", "1", "2", "3"))
    operator = draw(st.sampled_from(["isIn", "isNotIn"]))
    predicate = ET.Element("SimpleSetPredicate", field=field, booleanOperator=operator)
    members = draw(st.lists(st.sampled_from(options), unique=True))
    array = ET.SubElement(predicate, "Array", type="string" if words else "int")
    array.text = " ".join(members)
    return predicate


@st.composite
def compound_predicates(draw: st.DrawFn, depth: int = 2) -> ET.Element:
    """Return a predicate, often made of others."""
    if depth == 0 or draw(st.booleans()):
        return draw(simple_predicates())
    operator = draw(st.sampled_from(["and", "or", "xor", "surrogate"]))
    predicate = ET.Element("CompoundPredicate", booleanOperator=operator)
    predicate.extend(draw(st.lists(compound_predicates(depth=depth - 1), min_size=2, max_size=3)))
    return predicate


@st.composite
def _nodes(draw: st.DrawFn, counter: list[int], depth: int) -> ET.Element:
    node = ET.Element("Node", id=str(counter[0]))
    counter[0] += 1
    node.append(draw(compound_predicates()))
    if draw(st.integers(0, 4)):
        node.set("score", f"s{node.attrib['id']}")
    if depth and draw(st.integers(0, 3)):
        count = draw(st.integers(1, 3))
        children = [draw(_nodes(counter, depth - 1)) for _ in range(count)]
        node.extend(children)
        node.set("defaultChild", draw(st.sampled_from([c.attrib["id"] for c in children])))
    return node


@st.composite
def trees(draw: st.DrawFn, depth: int = 3) -> str:
    """Return a TreeModel whose nodes score their own ids, as XML."""
    model = ET.Element(
        "TreeModel",
        functionName="classification",
        missingValueStrategy=draw(st.sampled_from(STRATEGIES)),
        noTrueChildStrategy=draw(st.sampled_from(["returnNullPrediction", "returnLastPrediction"])),
    )
    schema = ET.SubElement(model, "MiningSchema")
    for name in (*NUMBERS, WHOLE, WORD):
        ET.SubElement(schema, "MiningField", name=name)
    ET.SubElement(schema, "MiningField", name="kind", usageType="target")
    root = draw(_nodes([0], depth))
    if draw(st.booleans()):
        root[0] = ET.Element("True")
    model.append(root)
    return ET.tostring(model, "unicode")


_number = st.one_of(st.none(), st.sampled_from([-2.0, -1.0, -0.5, 0.0, 0.25, 0.3, 1.0, 1.5, 9.0]))


def rows() -> st.SearchStrategy[list[Row]]:
    """Return rows with values on, between and beside the thresholds, and missing ones."""
    row = st.fixed_dictionaries(
        {
            "u": _number,
            "v": _number,
            "k": st.one_of(st.none(), st.sampled_from([0.0, 1.0, 2.0, 3.0, 7.0])),
            "w": st.one_of(st.none(), st.sampled_from([*WORDS, "unheard of"])),
        }
    )
    return st.lists(row, min_size=1, max_size=25)
