"""What every PMML element type has in common, and the plain values they are made of.

An element type declares its attributes and children as the standard's schema does; the reader
fills it and refuses whatever is not declared. Nothing here evaluates.
"""

from typing import Literal

import msgspec

DataType = Literal[
    "string",
    "integer",
    "float",
    "double",
    "boolean",
    "date",
    "time",
    "dateTime",
    "timeSeconds",
    "dateDaysSince[0]",
    "dateDaysSince[1960]",
    "dateDaysSince[1970]",
    "dateDaysSince[1980]",
    "dateTimeSecondsSince[0]",
    "dateTimeSecondsSince[1960]",
    "dateTimeSecondsSince[1970]",
    "dateTimeSecondsSince[1980]",
    "x-dateDaysSince[1990]",
    "x-dateDaysSince[2000]",
    "x-dateDaysSince[2010]",
    "x-dateDaysSince[2020]",
    "x-dateTimeSecondsSince[1990]",
    "x-dateTimeSecondsSince[2000]",
    "x-dateTimeSecondsSince[2010]",
    "x-dateTimeSecondsSince[2020]",
]
OpType = Literal["categorical", "ordinal", "continuous"]
MathContext = Literal["double", "float"]

# Names that no XML attribute can have, for what an element holds besides attributes.
TEXT = "#text"
CELLS = "#cells"
EXPRESSION = "#expression"
PREDICATE = "#predicate"
RULE = "#rule"
MODEL = "#model"


class Element(
    msgspec.Struct,
    frozen=True,
    forbid_unknown_fields=True,
    omit_defaults=True,
    rename="camel",
    tag_field="element",
    tag=True,
    gc=False,  # elements hold each other as a tree: millions of them are no work for a collector
):
    """One PMML element: attributes and children under the standard's own names.

    A child is a field named after its element, or after its group (expression, predicate,
    model); a field that is a tuple takes all of them, any other takes one.
    """
