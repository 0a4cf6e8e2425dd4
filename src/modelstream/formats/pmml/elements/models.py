"""The element types of models, and of the document that holds one.

One type a model: a model that is not here is refused by its name.
"""

from typing import Literal

import msgspec

from modelstream.formats.base import Header
from modelstream.formats.pmml.elements.associations import AssociationModel
from modelstream.formats.pmml.elements.base import (
    EXPRESSION,
    MODEL,
    PREDICATE,
    Element,
)
from modelstream.formats.pmml.elements.baseline import BaselineModel
from modelstream.formats.pmml.elements.bayesiannetwork import BayesianNetworkModel
from modelstream.formats.pmml.elements.clustering import ClusteringModel
from modelstream.formats.pmml.elements.distributions import ScoreDistribution
from modelstream.formats.pmml.elements.expressions import (
    FieldRef,
    TransformationDictionary,
)
from modelstream.formats.pmml.elements.fields import DataDictionary
from modelstream.formats.pmml.elements.forests import Forest
from modelstream.formats.pmml.elements.gaussianprocess import GaussianProcessModel
from modelstream.formats.pmml.elements.generalregression import GeneralRegressionModel
from modelstream.formats.pmml.elements.model import Function, Model
from modelstream.formats.pmml.elements.naivebayes import NaiveBayesModel
from modelstream.formats.pmml.elements.nearestneighbor import NearestNeighborModel
from modelstream.formats.pmml.elements.neural import NeuralNetwork
from modelstream.formats.pmml.elements.predicates import Array, Predicate
from modelstream.formats.pmml.elements.predictors import CategoricalPredictor
from modelstream.formats.pmml.elements.rulesets import RuleSetModel
from modelstream.formats.pmml.elements.scorecards import Scorecard
from modelstream.formats.pmml.elements.sequences import SequenceModel
from modelstream.formats.pmml.elements.textmodels import TextModel
from modelstream.formats.pmml.elements.timeseries import TimeSeriesModel
from modelstream.formats.pmml.elements.vectors import SupportVectorMachineModel

Normalization = Literal[
    "none",
    "simplemax",
    "softmax",
    "logit",
    "probit",
    "cloglog",
    "exp",
    "loglog",
    "cauchit",
]
Method = Literal[
    "majorityVote",
    "weightedMajorityVote",
    "average",
    "weightedAverage",
    "median",
    "weightedMedian",
    "x-weightedMedian",
    "max",
    "sum",
    "weightedSum",
    "x-weightedSum",
    "selectFirst",
    "modelChain",
    "multiModelChain",
    "x-multiModelChain",
]


class NumericPredictor(Element, kw_only=True, frozen=True):
    """A coefficient times a power of a field."""

    name: str
    coefficient: float
    exponent: int = 1


class PredictorTerm(Element, kw_only=True, frozen=True):
    """A coefficient times a product of fields."""

    name: str | None = None
    coefficient: float
    fields: tuple[FieldRef, ...] = msgspec.field(name=EXPRESSION, default=())


class RegressionTable(Element, kw_only=True, frozen=True):
    """One linear equation."""

    intercept: float
    target_category: str | None = None
    numeric: tuple[NumericPredictor, ...] = msgspec.field(name="NumericPredictor", default=())
    categorical: tuple[CategoricalPredictor, ...] = msgspec.field(
        name="CategoricalPredictor", default=()
    )
    terms: tuple[PredictorTerm, ...] = msgspec.field(name="PredictorTerm", default=())


class RegressionModel(Model, kw_only=True, frozen=True):
    """Linear equations, one a category for a classification."""

    function_name: Function
    model_type: str | None = None  # deprecated since PMML 3.0: says what the equations say
    target_field_name: str | None = None  # deprecated since PMML 3.0: see MiningField
    normalization_method: Normalization = "none"
    tables: tuple[RegressionTable, ...] = msgspec.field(name="RegressionTable", default=())


class Node(Element, kw_only=True, frozen=True):
    """One node of a tree."""

    id: str | None = None
    score: str | None = None
    record_count: float | None = None
    default_child: str | None = None
    predicate: Predicate = msgspec.field(name=PREDICATE)
    distribution: tuple[ScoreDistribution, ...] = msgspec.field(
        name="ScoreDistribution", default=()
    )
    children: "tuple[Node, ...]" = msgspec.field(name="Node", default=())


class TreeModel(Model, kw_only=True, frozen=True):
    """A decision tree: `node` as it is read, `forest` once it is lowered."""

    function_name: Function
    missing_value_strategy: Literal[
        "none",
        "lastPrediction",
        "nullPrediction",
        "defaultChild",
        "weightedConfidence",
        "aggregateNodes",
    ] = "none"
    missing_value_penalty: float = 1.0
    no_true_child_strategy: Literal["returnNullPrediction", "returnLastPrediction"] = (
        "returnNullPrediction"
    )
    split_characteristic: Literal["binarySplit", "multiSplit"] = "multiSplit"
    node: Node | None = msgspec.field(name="Node", default=None)
    forest: Forest | None = msgspec.field(name="#forest", default=None)


class Segment(Element, kw_only=True, frozen=True):
    """One model of an ensemble, and the records that it is for.

    The model is absent once all segments of an ensemble are lowered to one forest.
    """

    id: str | None = None
    weight: float = 1.0
    predicate: Predicate = msgspec.field(name=PREDICATE)
    model: "ModelElement | None" = msgspec.field(name=MODEL, default=None)


SUMS: frozenset[Method] = frozenset({"sum", "weightedSum", "x-weightedSum"})


class Segmentation(Element, kw_only=True, frozen=True):
    """Models and how their answers are made one."""

    multiple_model_method: Method
    missing_prediction_treatment: Literal["continue", "skipSegment", "returnMissing"] = "continue"
    missing_threshold: float = 1.0
    segments: tuple[Segment, ...] = msgspec.field(name="Segment", default=())
    forest: Forest | None = msgspec.field(name="#forest", default=None)


class MiningModel(Model, kw_only=True, frozen=True):
    """A composition of models."""

    segmentation: Segmentation = msgspec.field(name="Segmentation")


# Models that are lowered as they are read.
class MeanClusterDistances(Element, kw_only=True, frozen=True):
    """The mean distance within each cluster."""

    array: Array = msgspec.field(name="Array")


class AnomalyDetectionModel(Model, kw_only=True, frozen=True):
    """A model whose answer is made an anomaly score."""

    function_name: Literal["regression", "classification", "clustering"]
    algorithm_type: Literal["iforest", "ocsvm", "clusterMeanDist", "other"]
    sample_data_size: int | None = None
    model: "ModelElement" = msgspec.field(name=MODEL)
    mean_distances: MeanClusterDistances | None = msgspec.field(
        name="MeanClusterDistances", default=None
    )


PlainModel = (
    RegressionModel
    | NeuralNetwork
    | GeneralRegressionModel
    | NaiveBayesModel
    | NearestNeighborModel
    | GaussianProcessModel
    | RuleSetModel
    | AssociationModel
    | Scorecard
    | SupportVectorMachineModel
    | ClusteringModel
    | BayesianNetworkModel
    | BaselineModel
    | TimeSeriesModel
    | SequenceModel
    | TextModel
)
ModelElement = MiningModel | TreeModel | AnomalyDetectionModel | PlainModel


class Document(Element, tag="PMML", kw_only=True, frozen=True):
    """A PMML document with its model. The header is of the document as it is read."""

    version: str
    base_version: str | None = None
    data_dictionary: DataDictionary = msgspec.field(name="DataDictionary")
    transformation_dictionary: TransformationDictionary | None = msgspec.field(
        name="TransformationDictionary", default=None
    )
    models: tuple[ModelElement, ...] = msgspec.field(name=MODEL, default=())
    header: Header = msgspec.field(name="#header", default=Header())
