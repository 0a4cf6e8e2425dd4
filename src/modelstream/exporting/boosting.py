"""What skl2onnx lacks for scikit-learn's gradient boosting by histograms.

It gives ONNX truths and NumPy's numbers in lists of whole numbers, which newer protobufs refuse: they
are made plain on their way. What it would convert to another model is refused.
"""

from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import Any

import numpy as np

from modelstream.errors import UnsupportedModel

_KINDS = ("HistGradientBoostingClassifier", "HistGradientBoostingRegressor")
# Losses whose prediction is an exponential of what the trees sum up.
_LOG_LINKS = frozenset({"poisson", "gamma"})


def boosting_converters() -> dict[str, Any]:
    """Return what skl2onnx is to convert boosting with, as arguments of its `convert_sklearn`."""
    ensemble = import_module("sklearn.ensemble")
    pool = import_module("skl2onnx.common._registration")
    kinds = {getattr(ensemble, name): f"Sklearn{name}" for name in _KINDS}
    return {
        "custom_conversion_functions": {
            kind: partial(_convert, pool.get_converter(name)) for kind, name in kinds.items()
        },
        "custom_shape_calculators": {
            kind: pool.get_shape_calculator(name) for kind, name in kinds.items()
        },
    }


def _convert(converter: Callable[..., None], scope: Any, operator: Any, container: Any) -> None:
    """Convert one estimator. Raises UnsupportedModel."""
    _check(operator.raw_operator)
    converter(scope, operator, _PlainContainer(container))


def _check(estimator: Any) -> None:
    kind = type(estimator).__name__
    if np.any(estimator.is_categorical_):
        raise UnsupportedModel(
            f"this {kind} splits by categories, which skl2onnx takes for numbers; encode them "
            "before it, with a OneHotEncoder say"
        )
    if estimator.loss in _LOG_LINKS:
        raise UnsupportedModel(
            f"this {kind} has the loss {estimator.loss!r}, and skl2onnx leaves out the exponential "
            "that makes its prediction; use PMML, or another loss"
        )


class _PlainContainer:
    """A container of skl2onnx's, to which nodes are added with Python's own numbers."""

    def __init__(self, container: Any) -> None:
        self._container = container

    def __getattr__(self, name: str) -> Any:
        return getattr(self._container, name)

    def add_node(self, *about: Any, **more: Any) -> None:
        """Add a node; lists of whole numbers and truths are made plain."""
        self._container.add_node(*about, **{key: _plain(each) for key, each in more.items()})


def _plain(value: Any) -> Any:
    whole = int | np.integer | np.bool_
    if isinstance(value, list) and all(isinstance(each, whole) for each in value):
        return [int(each) for each in value]
    return value
