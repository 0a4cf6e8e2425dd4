"""Documents of every family, mutated: each is a model or is refused with a reason.

MODELSTREAM_FUZZ says how many documents there are in all.
"""

import os
from random import Random
from typing import Any

import numpy as np
import pytest

from modelstream.errors import InvalidModel, InvalidRecord, UnsupportedModel
from modelstream.formats.base import Hints
from modelstream.formats.pmml import PmmlFormat
from modelstream.messages import Columns
from tests.support.pmml_documents import DOCUMENTS
from tests.support.pmml_mutations import mutated, odd_rows

pytestmark = pytest.mark.fuzz

COUNT = int(os.environ.get("MODELSTREAM_FUZZ", "540"))


def tried(data: bytes, chance: Random) -> bool:
    """Lower, load and score; return whether it is a model. Only refusals may come of it.

    A row has the same answer among few rows and among many.
    """
    chosen = PmmlFormat()
    try:
        lowered = chosen.lower(data, Hints())
    except (InvalidModel, UnsupportedModel):
        return False
    model = chosen.load(lowered)
    model.describe()
    few = odd_rows(chance)
    count = len(next(iter(few.values())))
    many: Columns = {name: np.concatenate([column] * 20) for name, column in few.items()}
    try:
        some, all_ = model.score(few), model.score(many)
    except InvalidRecord:
        return True
    assert all(0 <= row < count and reason for row, reason in some.errors.items())
    assert some.errors == {row: why for row, why in all_.errors.items() if row < count}
    assert list(some) == list(all_) == [field.name for field in model.outputs]
    for name, answers in some.items():
        assert len(answers) == count
        for answer, again in zip(answers.tolist(), all_[name][:count].tolist(), strict=True):
            assert same(answer, again), f"{name} is {answer} alone and {again} among many"
    return True


def same(answer: Any, again: Any) -> bool:
    """Tell whether two answers are one, however their columns hold it; missing is missing."""
    if answer is None or again is None or answer != answer or again != again:  # noqa: PLR0124
        return missing(answer) and missing(again)
    return bool(answer == again or answer == pytest.approx(again, rel=1e-9))


def missing(answer: Any) -> bool:
    return answer is None or answer != answer  # noqa: PLR0124 - NaN alone differs from itself


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_mutated_document_is_a_model_or_is_refused(name: str) -> None:
    models = 0
    for number in range(max(2, COUNT // len(DOCUMENTS))):
        chance = Random(f"{name} {number}")
        data = mutated(DOCUMENTS[name], chance)
        try:
            models += tried(data, chance)
        except BaseException as error:
            raise AssertionError(f"document {number} of {name}: {data[:2000]!r}") from error
    assert models, "all were refused: the mutations are too coarse to reach an evaluation"


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_documents_themselves_are_models(name: str) -> None:
    assert tried(DOCUMENTS[name], Random(0))
