"""Calls of built-in functions: find the function by name and check its arguments."""

from functools import cache

from modelstream.errors import InvalidModel, UnsupportedModel
from modelstream.formats.pmml.elements.expressions import Apply
from modelstream.formats.pmml.fields.scope import Compiled
from modelstream.formats.pmml.functions.arithmetic import arithmetic_functions
from modelstream.formats.pmml.functions.base import Builtin, Call
from modelstream.formats.pmml.functions.comparisons import comparison_functions
from modelstream.formats.pmml.functions.dates import date_functions
from modelstream.formats.pmml.functions.logic import logic_functions
from modelstream.formats.pmml.functions.text import text_functions

# How converters spelled functions before the standard had them (PMML 4.4).
_EARLY = (
    *("acos", "asin", "atan", "atan2", "cos", "cosh", "expm1", "hypot", "ln1p", "modulo", "rint"),
    *("sin", "sinh", "tan", "tanh"),
)


@cache
def builtin_functions() -> dict[str, Builtin]:
    """Return all built-in functions by name."""
    arithmetic = arithmetic_functions()
    return {
        **arithmetic,
        **{f"x-{name}": arithmetic[name] for name in _EARLY},
        **comparison_functions(),
        **logic_functions(),
        **text_functions(),
        **date_functions(),
    }


def call_builtin(expression: Apply, arguments: list[Compiled]) -> Compiled:
    """Compile a call. Raises UnsupportedModel for a function that is not known."""
    name = expression.function
    builtin = builtin_functions().get(name)
    if builtin is None:
        raise UnsupportedModel(
            f"function {name!r} is neither defined in the document nor built in; "
            f"built in are: {', '.join(sorted(builtin_functions()))}"
        )
    most = builtin.most
    if len(arguments) < builtin.least or (most is not None and len(arguments) > most):
        raise InvalidModel(
            f"function {name!r} is called with {len(arguments)} arguments; "
            f"it takes {builtin.least} to {'any number' if most is None else most}"
        )
    # With a default value an undefined result is a missing one, which the default replaces.
    strict = expression.invalid_value_treatment == "returnInvalid"
    strict = strict and expression.default_value is None
    return builtin.compile(Call(name, tuple(arguments), strict=strict))
