"""Functions of a flow's owner that pipelines may call: found by their registered names.

They are code of the owner's, installed beside modelstream. What arrives names one of them at most,
and nothing is imported that a flow does not register.
"""

import re
from importlib import import_module

from modelstream.errors import InvalidFlow, InvalidModel, UnsupportedModel
from modelstream.formats.base import Function, Functions
from modelstream.limits import FUNCTIONS_MAX, NAME_CHARS_MAX

_TARGET = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*")


def check_functions(functions: Functions) -> None:
    """Check how functions are registered; imports none. Raises InvalidFlow."""
    if len(functions) > FUNCTIONS_MAX:
        raise InvalidFlow(f"functions registers {len(functions)}; at most {FUNCTIONS_MAX}")
    for name, target in functions.items():
        if not (1 <= len(name) <= NAME_CHARS_MAX and name.isprintable()):
            raise InvalidFlow(
                f"functions has the name {name!r}; use 1 to {NAME_CHARS_MAX} printable characters"
            )
        if not _TARGET.fullmatch(target):
            raise InvalidFlow(
                f"functions has {name} = {target!r}; name a function of a module: "
                '"features:ratio", "my.features:ratio"'
            )


def import_functions(functions: Functions) -> None:
    """Import all of them now, for whom a missing one would stop a stream. Raises InvalidFlow."""
    for name in functions:
        try:
            find_function(name, functions)
        except InvalidModel as error:
            raise InvalidFlow(str(error)) from error


def check_registered(name: str, functions: Functions) -> None:
    """Raise UnsupportedModel unless a function is registered under a name."""
    if name not in functions:
        known = ", ".join(map(repr, functions)) or "none"
        raise UnsupportedModel(
            f"no function {name!r} is registered here (registered: {known}); the owner of the flow "
            f'adds it to the table [functions] of flow.toml, as {name} = "module:function"'
        )


def find_function(name: str, functions: Functions) -> Function:
    """Return the function that is registered under a name, importing its module.

    Raises InvalidModel where there is none, or it cannot be imported.
    """
    check_registered(name, functions)
    target = functions[name]
    module, _, attribute = target.partition(":")
    try:
        found = getattr(import_module(module), attribute)
    except Exception as error:
        raise InvalidModel(
            f"function {name!r} is {target}, which cannot be imported: {type(error).__name__}: "
            f"{error}; install its module, or name its directory in PYTHONPATH"
        ) from error
    if not callable(found):
        raise InvalidModel(f"function {name!r} is {target}, which is no function")
    function: Function = found
    return function
