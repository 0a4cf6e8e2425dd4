"""An estimator to ONNX: what skl2onnx is asked for, and what is written beside its answer."""

import json
import warnings
from importlib import import_module
from types import ModuleType
from typing import Any

from modelstream.errors import UnsupportedModel
from modelstream.exporting.boosting import boosting_converters
from modelstream.exporting.sample import Kind, Sample
from modelstream.limits import REASON_CHARS_MAX

# Of the standard, and of its operators for trees and the like: old enough for every onnxruntime
# that is served with, new enough for all that skl2onnx writes.
_OPSETS = {"": 17, "ai.onnx.ml": 3}
_TENSORS: dict[Kind, str] = {
    "number": "FloatTensorType",
    "whole": "Int64TensorType",
    "text": "StringTensorType",
}
# skl2onnx's names for what all kinds of models answer, and those that it has in other formats.
_OUTPUTS = {"output_label": "label", "output_probability": "probabilities"}
# Trees of these libraries are served from the libraries' own files, to the last bit.
_LIBRARIES = {
    "xgboost": "get_booster().save_model('model.json')",
    "lightgbm": "booster_.save_model('model.txt')",
    "catboost": "save_model('model.json', format='json')",
}


def to_onnx(estimator: Any, sample: Sample) -> bytes:
    """Convert a fitted estimator; the inputs bear the names of the sample's columns.

    Classes keep their names: in a ZipMap, which is the one place that ONNX has for them, and which
    serving takes out. Raises UnsupportedModel.
    """
    kind = type(estimator)
    library = kind.__module__.partition(".")[0]
    if library in _LIBRARIES:
        raise UnsupportedModel(
            f"{kind.__name__} has a file of its own, which is served as it is: call "
            f".{_LIBRARIES[library]} and publish that"
        )
    inputs = _inputs(estimator, sample)
    model = _converted(estimator, inputs)
    _name_inputs(model.graph, [name for name, _ in inputs])
    _name_outputs(model.graph, estimator)
    # These come in the order of a set; sorted, the same model has the same digest every time.
    model.opset_import.sort(key=lambda each: each.domain)
    told = {"feature_names": list(sample.columns), "optional_features": list(sample.optional())}
    props = {key: json.dumps(names, ensure_ascii=False) for key, names in told.items() if names}
    _imported("onnx").helper.set_model_props(model, props)
    data: bytes = model.SerializeToString(deterministic=True)
    return data


def _converted(estimator: Any, inputs: list[tuple[str, Any]]) -> Any:
    """Return skl2onnx's ModelProto. Raises UnsupportedModel."""
    skl2onnx = _imported("skl2onnx")
    try:
        with warnings.catch_warnings():
            # About skl2onnx's own use of scikit-learn, which its users can do nothing about.
            warnings.simplefilter("ignore", FutureWarning)
            return skl2onnx.convert_sklearn(
                estimator,
                name=type(estimator).__name__,  # by default it is drawn at random
                initial_types=inputs,
                target_opset=_OPSETS,
                **boosting_converters(),
            )
    except UnsupportedModel:
        raise
    except Exception as error:
        kind = type(estimator).__name__
        reason = " ".join(str(error).split())[:REASON_CHARS_MAX]
        raise UnsupportedModel(
            f"skl2onnx cannot convert this {kind}: {type(error).__name__}: {reason}"
        ) from error


def _imported(name: str) -> ModuleType:
    try:
        return import_module(name)
    except ImportError as error:
        raise UnsupportedModel(
            f"to export an estimator needs {name}: pip install 'modelstream[export]'"
        ) from error


def _inputs(estimator: Any, sample: Sample) -> list[tuple[str, Any]]:
    """Return one matrix where all columns are numbers, else a tensor for each column."""
    types = _imported("skl2onnx.common.data_types")
    if "text" not in sample.kinds.values() and not _splits_columns(estimator):
        return [("features", types.FloatTensorType([None, len(sample.columns)]))]
    return [
        (name, getattr(types, _TENSORS[kind])([None, 1])) for name, kind in sample.kinds.items()
    ]


def _splits_columns(estimator: Any) -> bool:
    """Tell whether the first step takes its columns apart; it may do so by their names."""
    while hasattr(estimator, "steps"):
        estimator = estimator.steps[0][1]
    return hasattr(estimator, "transformers")


def _name_inputs(graph: Any, names: list[str]) -> None:
    """Give the inputs their names again, which skl2onnx makes plain; leave out those nobody reads."""
    _rename(graph, {each.name: name for each, name in zip(graph.input, names, strict=True)})
    read = {name for node in graph.node for name in node.input}
    for each, name in zip(list(graph.input), names, strict=True):
        each.name = name
        if name not in read:
            graph.input.remove(each)


def _name_outputs(graph: Any, estimator: Any) -> None:
    """Give the outputs plain names; scores that are no probabilities, but called so, are left out."""
    answer = "prediction" if hasattr(estimator, "predict") else "transformed"
    for output in list(graph.output):
        name = {**_OUTPUTS, "variable": answer}.get(output.name, output.name)
        if name == "probabilities" and not hasattr(estimator, "predict_proba"):
            graph.output.remove(output)
        else:
            _rename(graph, {output.name: name})
            output.name = name


def _rename(graph: Any, names: dict[str, str]) -> None:
    """Rename tensors where nodes read and write them; who has a new name already, gets the old one."""
    both = {new: old for old, new in names.items()} | names
    for node in graph.node:
        for tensors in (node.input, node.output):
            tensors[:] = [both.get(each, each) for each in tensors]
