"""A CatBoost document as an ensemble: its inputs, its trees, its sums."""

import re

import numpy as np

from modelstream.errors import InvalidModel, UnsupportedModel
from modelstream.formats import limits
from modelstream.formats.base import Hints
from modelstream.formats.catboost import document as cb
from modelstream.formats.catboost.features import read_features
from modelstream.formats.catboost.losses import link_of
from modelstream.formats.catboost.trees import read_forest
from modelstream.formats.trees.ensemble import VERSION, Ensemble, Link
from modelstream.formats.trees.layout import lay_out

_RELEASE = re.compile(r"tags/v([0-9.]{1,20})")
_SIGN_OF_SUM = "0.5"


def lower_document(saved: cb.Document, hints: Hints) -> Ensemble:
    """Return the ensemble that a saved model is. Raises InvalidModel, UnsupportedModel."""
    features = read_features(saved, hints)
    forest = read_forest(saved, features.tests)
    factor, told = saved.scale_and_bias
    bias = tuple(told) if isinstance(told, list) else (told,)
    sums = len(bias) if forest is None else forest.added.shape[1]
    if bias == (0.0,):
        bias = (0.0,) * sums
    if not 1 <= sums <= limits.TREES_MAX or len(bias) != sums:
        raise InvalidModel(f"{len(bias)} biases are given for {sums} sums")
    trees, leaves = (None, None) if forest is None else lay_out(forest.nodes)
    added = np.zeros(0) if forest is None else forest.added[leaves]
    info = saved.model_info
    loss = cb.loss_of(info)
    link = link_of(loss, sums, len(info.class_params.class_names) if info.class_params else 0)
    release = _RELEASE.search(info.catboost_version_info)
    return Ensemble(
        version=VERSION,
        producer=f"CatBoost {release.group(1)}" if release else "CatBoost",
        objective=loss,
        inputs=features.inputs,
        trees=trees,
        leaf_values=added.astype("<f8").tobytes(),
        group=b"",
        base=(0.0,) * sums,
        single=False,
        link=link,
        labels=hints.labels or _labels(info, link),
        vector=True,
        factor=factor,
        bias=bias if any(bias) else (),
        lookups=features.lookups,
    )


def _labels(info: cb.Info, link: Link) -> tuple[str, ...]:
    """Return the names of the classes; none where they are numbered from 0 on anyway."""
    if link not in {"sigmoid", "softmax", "one_vs_all"}:
        return ()
    if info.binclass_probability_threshold not in {"", _SIGN_OF_SUM}:
        raise UnsupportedModel(
            "a probability threshold of the model's own is not evaluated; save it after "
            "set_probability_threshold(None), and decide on the probability"
        )
    if info.class_params is None:
        return ()
    names, kind = info.class_params.class_names, info.class_params.class_label_type
    if kind == "Integer" and names == list(range(len(names))):
        return ()
    return tuple(str(float(name)) if kind == "Float" else str(name) for name in names)
