"""Valid PMML documents made invalid, or merely odd, in the ways that bytes and schemas allow."""

import copy
import re
from collections.abc import Callable
from random import Random
from xml.etree import ElementTree as ET

import numpy as np

from modelstream.messages import Columns
from tests.support.pmml import column
from tests.support.pmml_documents import DOCUMENTS

NUMBERS = ("NaN", "INF", "-INF", "1e400", "-1e400", "1e308", "-1", "0", "1", "0.5", "1e-320",
           "9" * 30, "-" + "9" * 30, "2147483648", "1_0", "0x1", "", " ", "true")  # fmt: skip
WORDS = ("", "x", "y", "kind", "nobody", "a", "\u0000"[1:], "é" * 50, "\n", "%s", "(a+)+$", "[", "string",
         "double", "integer", "boolean", "date", "dateTime", "timeSeconds", "dateDaysSince[1970]",
         "categorical", "ordinal", "continuous", "classification", "regression", "clustering",
         "asIs", "asMissing", "asValue", "returnInvalid", "target", "active", "supplementary",
         "sum", "average", "max", "median", "majorityVote", "selectFirst", "modelChain",
         "multiModelChain", "weightedSum", "defaultChild", "aggregateNodes", "lastPrediction",
         "returnLastPrediction", "equal", "isMissing", "isNotIn", "xor", "surrogate", "float",
         "predictedValue", "transformedValue", "standardError", "concat", "if", "pow", "substring",
         "formatNumber", "log", "softmax", "probit", "rectifier", "Gauss", "OneAgainstOne",
         "Coefficients", "ordinalMultinomial", "CoxRegression", "gaussSim", "similarity")  # fmt: skip
DEPTHS = (2, 8, 60, 130)  # six of them still fit into the recursion of ElementTree
TOWERS = (300, 900, 1200)
_START = re.compile(rb"<([A-Za-z-]+)[^<>]*[^/<>]>")

Root = ET.Element
Mutation = Callable[[Root, Random], None]


def mutated(data: bytes, chance: Random) -> bytes:
    """Return a document with a few things done to it."""
    if chance.random() < 0.15:
        return _mangled(data, chance)
    root = ET.fromstring(data)
    for _ in range(chance.choice((1, 1, 1, 2, 3, 6))):
        chance.choice(_MUTATIONS)(root, chance)
    text: bytes = ET.tostring(root)
    if chance.random() < 0.03:
        text = _towered(text, chance)
    return _mangled(text, chance) if chance.random() < 0.05 else text


def odd_rows(chance: Random) -> Columns:
    """Return a few rows of the three inputs, as records bring them."""
    x = [0.0, 3.0, None, 50.0, -1e308, 1e308, float("inf")]
    rows: Columns = {"x": column(x), "z": column([1.0, None, 2.0, -3.0, 0.0, 1e39, 1e-320])}
    rows["c"] = column(["u", "v", None, "q", "?", "", "1"])
    if chance.random() < 0.2:
        rows[chance.choice("xzc")] = column([True, "t", None, 3, -1, ["u", "v"], {"a": 1}])
    if chance.random() < 0.1:
        del rows[chance.choice("xzc")]
    chosen = np.array(chance.sample(range(7), chance.choice((0, 1, 3, 7, 7, 7))), dtype=np.intp)
    return {name: values[chosen] for name, values in rows.items()}


def _mangled(data: bytes, chance: Random) -> bytes:
    """Return bytes of which some are flipped, cut, dropped or repeated."""
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(data) or 1)
        length = chance.choice((1, 1, 5, 50, 500))
        kind = chance.randrange(4)
        if kind == 0 and data:
            data = data[:at] + bytes([data[at] ^ (1 << chance.randrange(8))]) + data[at + 1 :]
        elif kind == 1:
            data = data[:at]
        elif kind == 2:
            data = data[:at] + data[at + length :]
        else:
            data = data[: at + length] + data[at:]
    return data


def _towered(data: bytes, chance: Random) -> bytes:
    """Return a document with a tower of one element in itself."""
    starts = list(_START.finditer(data))
    if not starts:
        return data
    start, height = chance.choice(starts), chance.choice(TOWERS)
    tower = start[0] * height + (b"</" + start[1] + b">") * height
    return data[: start.end()] + tower + data[start.end() :]


def _any(root: Root, chance: Random) -> Root:
    return chance.choice(list(root.iter()))


def _parent(root: Root, chance: Random) -> Root:
    return chance.choice([each for each in root.iter() if len(each)] or [root])


def _attribute(root: Root, chance: Random) -> tuple[Root, str]:
    element = chance.choice([each for each in root.iter() if each.attrib] or [root])
    return element, chance.choice(list(element.attrib) or ["version"])


def _to_number(root: Root, chance: Random) -> None:
    element, name = _attribute(root, chance)
    element.set(name, chance.choice(NUMBERS))


def _to_word(root: Root, chance: Random) -> None:
    element, name = _attribute(root, chance)
    element.set(name, chance.choice(WORDS))


def _to_another(root: Root, chance: Random) -> None:
    """Give an attribute the value of another, or of the same name elsewhere."""
    element, name = _attribute(root, chance)
    same = [each.get(name) or "" for each in root.iter() if name in each.attrib]
    other, its = _attribute(root, chance)
    element.set(name, chance.choice(same) if chance.random() < 0.5 else other.get(its) or "")


def _drop_attribute(root: Root, chance: Random) -> None:
    element, name = _attribute(root, chance)
    element.attrib.pop(name, None)


def _add_attribute(root: Root, chance: Random) -> None:
    _, name = _attribute(_other(chance), chance)
    _any(root, chance).set(name, chance.choice(NUMBERS + WORDS))


def _text(root: Root, chance: Random) -> None:
    """Change one word of a text, or all of it."""
    texts = [each for each in root.iter() if (each.text or "").strip()]
    element = chance.choice(texts) if texts else root
    words = (element.text or "").split() or [""]
    words[chance.randrange(len(words))] = chance.choice(NUMBERS + WORDS)
    element.text = " ".join(words * chance.choice((1, 1, 2, 30)))


def _remove(root: Root, chance: Random) -> None:
    parent = _parent(root, chance)
    if len(parent):
        parent.remove(chance.choice(list(parent)))


def _repeat(root: Root, chance: Random) -> None:
    parent = _parent(root, chance)
    child = chance.choice(list(parent) or [root])
    for _ in range(chance.choice((1, 1, 2, 70))):
        parent.insert(chance.randint(0, len(parent)), copy.deepcopy(child))


def _swap(root: Root, chance: Random) -> None:
    parent = _parent(root, chance)
    children = list(parent)
    chance.shuffle(children)
    parent[:] = children


def _rename(root: Root, chance: Random) -> None:
    _any(root, chance).tag = _any(_other(chance), chance).tag


def _nest(root: Root, chance: Random) -> None:
    """Put an element into copies of itself."""
    parent = _parent(root, chance)
    child = chance.choice(list(parent) or [root])
    shell = ET.Element(child.tag, child.attrib)
    shell.extend(list(child)[:1])
    if len(child) and chance.random() < 0.5:
        child = list(child)[-1]
    inner = copy.deepcopy(child)
    for _ in range(chance.choice(DEPTHS)):
        outer = ET.Element(shell.tag, shell.attrib)
        outer.extend([*shell, inner])
        inner = outer
    parent.append(inner)


def _graft(root: Root, chance: Random) -> None:
    """Put an element of another document where one is, or beside it."""
    parent = _parent(root, chance)
    graft = copy.deepcopy(_any(_other(chance), chance))
    at = chance.randrange(len(parent) or 1)
    parent[at : at + chance.randrange(2)] = [graft]


def _move(root: Root, chance: Random) -> None:
    """Put an element of the same document elsewhere, too."""
    copied = copy.deepcopy(_any(root, chance))
    parent = _parent(root, chance)
    parent.insert(chance.randint(0, len(parent)), copied)


def _model(root: Root, chance: Random) -> None:
    """Put the model of another family in the place of this one."""
    other = _other(chance)
    root[-1:] = [copy.deepcopy(other[-1])]


def _other(chance: Random) -> Root:
    return ET.fromstring(chance.choice(list(DOCUMENTS.values())))


_MUTATIONS: tuple[Mutation, ...] = (
    *(_to_number, _to_number, _to_number, _to_word, _to_word, _to_word, _to_another, _to_another),
    *(_drop_attribute, _add_attribute, _text, _text, _remove, _remove, _repeat, _swap, _rename),
    *(_nest, _graft, _graft, _move, _model),
)
