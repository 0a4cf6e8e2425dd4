"""Contrast matrices: how a factor is coded."""

import pytest

from modelstream.errors import InvalidModel
from tests.support.pmml import plain, score
from tests.support.pmml_glm import cell, general, params

CONTRASTS = (
    '<ParameterList><Parameter name="p0"/><Parameter name="p1"/></ParameterList>'
    '<FactorList><Predictor name="f" contrastMatrixType="any">'
    '<Categories><Category value="a"/><Category value="b"/><Category value="c"/></Categories>'
    "{matrix}</Predictor></FactorList><PPMatrix>"
    '<PPCell value="a" predictorName="f" parameterName="p0"/>'
    '<PPCell value="b" predictorName="f" parameterName="p1"/></PPMatrix>'
)


ARRAYS = (
    '<Matrix><Array type="real">1 0.5</Array><Array type="real">0 2</Array>'
    '<Array type="real">-1 -1</Array></Matrix>'
)
MAT_CELLS = (
    '<Matrix nbRows="3" nbCols="2"><MatCell row="1" col="1">1</MatCell>'
    '<MatCell row="1" col="2">0.5</MatCell><MatCell row="2" col="2">2</MatCell>'
    '<MatCell row="3" col="1">-1</MatCell><MatCell row="3" col="2">-1</MatCell></Matrix>'
)


@pytest.mark.parametrize("matrix", [ARRAYS, MAT_CELLS])
def test_a_contrast_matrix_codes_a_factor(matrix: str) -> None:
    inner = CONTRASTS.format(matrix=matrix) + params(cell("p0", 10.0) + cell("p1", 1.0))
    answers = score(general(inner, modelType="generalLinear"), x=[0] * 4, f=["a", "b", "c", "d"])
    assert plain(answers["y"]) == [10.5, 2.0, -11.0, None]


def coded(matrix: str) -> str:
    """Return a factor with three columns of contrasts."""
    third = '<PPCell value="c" predictorName="f" parameterName="p2"/></PPMatrix>'
    cells = CONTRASTS.format(matrix=matrix).replace("</PPMatrix>", third)
    return cells.replace('<Parameter name="p1"/>', '<Parameter name="p1"/><Parameter name="p2"/>')


@pytest.mark.parametrize(
    ("matrix", "wanted"),
    [
        (
            (
                '<Matrix kind="symmetric"><Array type="real">1</Array><Array type="real">2 3</Array>'
                '<Array type="real">4 5 6</Array></Matrix>'
            ),
            [124.0, 235.0, 456.0],
        ),
        ('<Matrix kind="diagonal"><Array type="real">1 2 3</Array></Matrix>', [100.0, 20.0, 3.0]),
        (
            (
                '<Matrix kind="symmetric" nbRows="3" nbCols="3" diagDefault="1" offDiagDefault="0">'
                '<MatCell row="3" col="1">7</MatCell></Matrix>'
            ),
            [107.0, 10.0, 701.0],
        ),
    ],
)
def test_a_matrix_is_written_in_several_ways(matrix: str, wanted: list[float]) -> None:
    betas = params(cell("p0", 100.0) + cell("p1", 10.0) + cell("p2", 1.0))
    answers = score(
        general(coded(matrix) + betas, modelType="regression"), x=[0] * 3, f=["a", "b", "c"]
    )
    assert plain(answers["y"]) == wanted


WRONG = {
    "3 categories": '<Matrix><Array type="real">1 0</Array></Matrix>',
    "not of one length": ARRAYS.replace("0 2", "0"),
    "does not hold numbers": ARRAYS.replace("0 2", "0 b"),
    "is outside the Matrix": MAT_CELLS.replace('row="3" col="2"', 'row="4" col="2"'),
    "of 0 rows": "<Matrix/>",
    "of shape": ARRAYS.replace("<Matrix>", '<Matrix nbRows="2">'),
}


@pytest.mark.parametrize("message", WRONG)
def test_a_matrix_that_does_not_fit_is_refused(message: str) -> None:
    inner = CONTRASTS.format(matrix=WRONG[message]) + params(cell("p0", 1.0) + cell("p1", 1.0))
    with pytest.raises(InvalidModel, match=message):
        score(general(inner, modelType="generalLinear"), x=[0], f=["a"])


def test_a_matrix_with_a_column_less_has_none_for_the_last_category() -> None:
    cells = CONTRASTS.replace('PPCell value="b"', 'PPCell value="c"').format(matrix=ARRAYS)
    with pytest.raises(InvalidModel, match="no column for category 'c'"):
        score(general(cells + params(cell("p1", 1.0)), modelType="generalLinear"), x=[0], f=["a"])


def test_a_parameter_has_one_coefficient() -> None:
    inner = CONTRASTS.format(matrix=ARRAYS) + params(cell("p0", 1.0) + cell("p0", 2.0))
    with pytest.raises(InvalidModel, match="'p0' has two PCells"):
        score(general(inner, modelType="generalLinear"), x=[0], f=["a"])


def test_an_unknown_category_has_no_column() -> None:
    cells = CONTRASTS.replace('PPCell value="b"', 'PPCell value="q"').format(matrix=ARRAYS)
    with pytest.raises(InvalidModel, match="no category 'q'"):
        score(general(cells + params(cell("p1", 1.0)), modelType="regression"), x=[0], f=["a"])


def test_a_covariate_is_numeric() -> None:
    cells = (
        '<ParameterList><Parameter name="p0"/></ParameterList>'
        '<CovariateList><Predictor name="f"/></CovariateList>'
        '<PPMatrix><PPCell value="1" predictorName="f" parameterName="p0"/></PPMatrix>'
    )
    with pytest.raises(InvalidModel, match="'f' is used as a number"):
        score(general(cells + params(cell("p0", 1.0)), modelType="regression"), x=[0], f=["a"])
