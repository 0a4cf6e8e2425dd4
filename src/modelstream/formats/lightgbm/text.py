"""LightGBM's text model as sections of keys and values; what these mean is not known here.

The order of the sections is that of `GBDT::SaveModelToString`: a header, the trees, feature
importances, parameters, and what the Python package adds at the end.
"""

import re
from dataclasses import dataclass

import msgspec

from modelstream.errors import InvalidModel
from modelstream.formats import limits

MAGIC = b"tree\n"

_TREE = "Tree="
_END = "\nend of trees"
_PANDAS = "pandas_categorical:"
_PARAMETER = re.compile(r"^\[(\w+): (.*)\]$", re.MULTILINE)

Category = str | int | float | bool


@dataclass(frozen=True, slots=True)
class Text:
    """The sections of a saved model. Keys without a value have an empty one.

    `categories` are those of each categorical column of the data frame it was trained with.
    """

    header: dict[str, str]
    trees: list[dict[str, str]]
    parameters: dict[str, str]
    categories: list[list[Category]]


def read_text(data: bytes) -> Text:
    """Take a saved model apart. Raises InvalidModel."""
    if not data.startswith(MAGIC):
        raise InvalidModel("a LightGBM model saved as text begins with a line `tree`")
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise InvalidModel(f"a LightGBM model is text in UTF-8: {error}") from error
    body, end, rest = text.partition(_END)
    if not end:
        raise InvalidModel("the model is cut off: there is no line `end of trees`")
    first, *blocks = body.split("\n" + _TREE)
    header = _keys(first)
    if "tree_sizes" in header:
        _check_sizes(header["tree_sizes"], blocks)
    if len(blocks) > limits.TREES_MAX:
        raise InvalidModel(f"{len(blocks)} trees; a model has at most {limits.TREES_MAX}")
    return Text(
        header=header,
        trees=[_tree(number, block) for number, block in enumerate(blocks)],
        parameters=dict(_PARAMETER.findall(rest)),
        categories=_categories(rest),
    )


def _keys(section: str) -> dict[str, str]:
    pairs = (line.partition("=") for line in section.split("\n") if line)
    return {key: value for key, _, value in pairs}


def _tree(number: int, block: str) -> dict[str, str]:
    told, _, keys = block.partition("\n")
    if told != str(number):
        raise InvalidModel(f"tree {number} of the model is called {told[:20]!r}")
    return _keys(keys)


def _check_sizes(told: str, blocks: list[str]) -> None:
    """Raise InvalidModel unless the trees have the sizes that the header says."""
    # A block has lost the line end before the next one.
    sizes = [str(len(_TREE) + len(block.encode()) + 1) for block in blocks]
    if told.split() != sizes:
        raise InvalidModel(
            "the trees are not of the sizes in `tree_sizes`: the model was cut, changed, or "
            "copied with other line ends; save it again"
        )


def _categories(rest: str) -> list[list[Category]]:
    """Return what stands in the last line, where the Python package writes it."""
    last = rest.rstrip("\n").rpartition("\n")[2]
    if not last.startswith(_PANDAS):
        return []
    try:
        found = msgspec.json.decode(last.removeprefix(_PANDAS), type=list[list[Category]] | None)
    except (msgspec.DecodeError, RecursionError) as error:
        raise InvalidModel(f"the line {_PANDAS} cannot be read: {error}") from error
    return found or []
