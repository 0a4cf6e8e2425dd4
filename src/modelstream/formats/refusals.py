"""How a format tells that bytes are no model: always the same error, with the reason in it."""

from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
import numpy as np

from modelstream.errors import InvalidModel


@contextmanager
def refusals(what: str) -> Iterator[None]:
    """Turn whatever bytes that are not trusted lead to into a refusal with the reason.

    Numbers that overflow are no reason: they are infinite or missing, here as in a score.
    """
    try:
        with np.errstate(all="ignore"):
            yield
    except RecursionError:
        raise InvalidModel(f"{what} is nested too deeply to be evaluated") from None
    except (msgspec.MsgspecError, ArithmeticError, LookupError, TypeError, ValueError) as error:
        raise InvalidModel(f"{what} does not make a model: {error}") from error


def check_version(form: int, known: int) -> None:
    """Check the version of a lowered form. Raises InvalidModel."""
    if form != known:
        raise InvalidModel(
            f"the lowered form has version {form}, this is version {known}; "
            "lower the document again"
        )
