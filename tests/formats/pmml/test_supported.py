"""The documentation says exactly what the code evaluates."""

from pathlib import Path

import pytest

from modelstream.errors import UnsupportedModel
from modelstream.formats.pmml.elements.vocabulary import MODELS, tag_of
from modelstream.formats.pmml.supported import supported, table
from tests.support.pmml import document, load

DOCS = Path(__file__).resolve().parents[3] / "docs" / "formats.md"
BEGIN = "<!-- the table is made by modelstream.formats.pmml.supported.table() -->\n"
END = "<!-- end of the table -->\n"


def test_the_documented_table_is_the_one_that_the_code_makes() -> None:
    text = DOCS.read_text()
    assert text.count(BEGIN) == text.count(END) == 1
    assert text[text.index(BEGIN) + len(BEGIN) : text.index(END)] == table()


def test_each_model_of_the_standard_is_evaluated() -> None:
    found = dict(supported())["models"]
    assert set(found) == {tag_of(model) for model in MODELS}
    assert len(found) == 19  # as many as the schema's group MODEL-ELEMENT has


def test_no_part_is_empty() -> None:
    assert all(words for _, words in supported())


def test_a_model_that_is_not_evaluated_is_refused_by_its_name() -> None:
    with pytest.raises(UnsupportedModel, match="CubistModel"):
        load(document('<CubistModel functionName="mixed"/>'))
