"""The tree libraries themselves, in environments of their own, on three sets of records."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from modelstream.formats import format_named
from modelstream.formats.base import Hints
from tests.support import tree_models

pytestmark = pytest.mark.peers

DATA = {
    "mixed": lambda: tree_models.mixed(2_000),
    "wine": tree_models.wine,
    "diabetes": tree_models.diabetes,
}
# Models whose links need an exp, which differs in the last place; all others are equal.
ROUNDING = 4e-15


@pytest.mark.parametrize("library", tree_models.LIBRARIES)
@pytest.mark.parametrize("data", DATA.values(), ids=DATA)
def test_every_kind_of_model_predicts_what_the_library_does(
    library: str, data: Callable[[], dict[str, Any]], tmp_path: Path
) -> None:
    tree_models.train(library, tmp_path, data(), rounds=60, leaves=32)
    chosen = format_named(library)
    paths = sorted(tmp_path.glob("*.json"))
    assert len(paths) > 10
    for path in paths:
        case = tree_models.read_kept(path)
        model = chosen.load(chosen.lower(case.model, Hints()))
        found = tree_models.predicted(model, case.columns)
        if found.ndim > case.predictions.ndim:
            found = found[:, 1]
        if model.describe().structure.facts["link"] == "identity":
            assert found.tolist() == case.predictions.tolist(), path.stem
        else:
            np.testing.assert_allclose(found, case.predictions, rtol=ROUNDING, err_msg=path.stem)
