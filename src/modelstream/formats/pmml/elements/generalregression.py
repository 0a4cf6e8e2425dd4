"""The element types of GeneralRegressionModel (DMG 4.4, General Regression)."""

from typing import Literal

import msgspec

from modelstream.formats.pmml.elements.base import Element
from modelstream.formats.pmml.elements.matrices import MatCell, Matrix
from modelstream.formats.pmml.elements.model import Function, Model

LinkFunction = Literal[
    "cloglog",
    "identity",
    "log",
    "logc",
    "logit",
    "loglog",
    "negbin",
    "oddspower",
    "power",
    "probit",
]
CumulativeLink = Literal["logit", "probit", "cloglog", "loglog", "cauchit"]


class Parameter(Element, kw_only=True, frozen=True):
    """What coefficients are given for; `reference_point` is its centre in a Cox regression."""

    name: str
    label: str | None = None
    reference_point: float = 0.0


class ParameterList(Element, kw_only=True, frozen=True):
    """All parameters."""

    parameters: tuple[Parameter, ...] = msgspec.field(name="Parameter", default=())


class Category(Element, kw_only=True, frozen=True):
    """One category of a factor."""

    value: str


class Categories(Element, kw_only=True, frozen=True):
    """The categories of a factor in the order of its contrast matrix."""

    categories: tuple[Category, ...] = msgspec.field(name="Category", default=())


class Predictor(Element, kw_only=True, frozen=True):
    """A field that answers depend on; a factor may be coded by a contrast matrix."""

    name: str
    contrast_matrix_type: str | None = None  # what the matrix is called; its values say it all
    categories: Categories | None = msgspec.field(name="Categories", default=None)
    matrix: Matrix | None = msgspec.field(name="Matrix", default=None)


class FactorList(Element, kw_only=True, frozen=True):
    """The categorical predictors."""

    predictors: tuple[Predictor, ...] = msgspec.field(name="Predictor", default=())


class CovariateList(Element, kw_only=True, frozen=True):
    """The continuous predictors."""

    predictors: tuple[Predictor, ...] = msgspec.field(name="Predictor", default=())


class PPCell(Element, kw_only=True, frozen=True):
    """How a parameter depends on a predictor: an exponent, or the category of a factor."""

    value: str
    predictor_name: str
    parameter_name: str
    target_category: str | None = None


class PPMatrix(Element, kw_only=True, frozen=True):
    """How parameters depend on predictors."""

    cells: tuple[PPCell, ...] = msgspec.field(name="PPCell", default=())


class PCell(Element, kw_only=True, frozen=True):
    """The coefficient of a parameter; without a category, of all categories."""

    parameter_name: str
    beta: float
    df: float | None = None  # degrees of freedom: of the estimate, no rule of scoring
    target_category: str | None = None


class ParamMatrix(Element, kw_only=True, frozen=True):
    """The coefficients."""

    cells: tuple[PCell, ...] = msgspec.field(name="PCell", default=())


class BaselineCell(Element, kw_only=True, frozen=True):
    """The cumulative hazard from a time on."""

    time: float
    cum_hazard: float


class BaselineStratum(Element, kw_only=True, frozen=True):
    """The baseline hazards of one value of the strata variable."""

    value: str
    label: str | None = None
    max_time: float
    cells: tuple[BaselineCell, ...] = msgspec.field(name="BaselineCell", default=())


class BaseCumHazardTables(Element, kw_only=True, frozen=True):
    """The baseline hazards: one table, or one a stratum."""

    max_time: float | None = None
    strata: tuple[BaselineStratum, ...] = msgspec.field(name="BaselineStratum", default=())
    cells: tuple[BaselineCell, ...] = msgspec.field(name="BaselineCell", default=())


class GeneralRegressionModel(Model, kw_only=True, frozen=True):
    """Linear predictors of any terms, and what is made of them."""

    function_name: Function

    model_type: Literal[
        "regression",
        "generalLinear",
        "multinomialLogistic",
        "ordinalMultinomial",
        "generalizedLinear",
        "CoxRegression",
    ]
    target_variable_name: str | None = None  # deprecated since PMML 3.0: see MiningField
    target_reference_category: str | None = None
    cumulative_link: CumulativeLink | None = None
    link_function: LinkFunction | None = None
    link_parameter: float | None = None
    trials_variable: str | None = None
    trials_value: float | None = None
    # Which distribution the coefficients were fitted for; the link says how to score.
    distribution: (
        Literal["binomial", "gamma", "igauss", "negbin", "normal", "poisson", "tweedie"] | None
    ) = None
    dist_parameter: float | None = None
    offset_variable: str | None = None
    offset_value: float | None = None
    # The next four say how the coefficients were found, no rule of scoring is in them.
    model_df: float | None = msgspec.field(name="modelDF", default=None)
    start_time_variable: str | None = None
    subject_id_variable: str | None = msgspec.field(name="subjectIDVariable", default=None)
    status_variable: str | None = None
    end_time_variable: str | None = None
    baseline_strata_variable: str | None = None
    parameters: ParameterList = msgspec.field(name="ParameterList")
    factors: FactorList = msgspec.field(name="FactorList", default=FactorList())
    covariates: CovariateList = msgspec.field(name="CovariateList", default=CovariateList())
    design: PPMatrix = msgspec.field(name="PPMatrix", default=PPMatrix())
    coefficients: ParamMatrix = msgspec.field(name="ParamMatrix")
    hazards: BaseCumHazardTables | None = msgspec.field(name="BaseCumHazardTables", default=None)


PARTS: tuple[type[Element], ...] = (
    ParameterList,
    Parameter,
    FactorList,
    CovariateList,
    Predictor,
    Categories,
    Category,
    Matrix,
    MatCell,
    PPMatrix,
    PPCell,
    ParamMatrix,
    PCell,
    BaseCumHazardTables,
    BaselineStratum,
    BaselineCell,
)
