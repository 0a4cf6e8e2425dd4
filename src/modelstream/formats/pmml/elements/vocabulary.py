"""Which elements the reader knows, under what name their parent holds them, and which it skips."""

from modelstream.formats import limits
from modelstream.formats.pmml.elements import (
    associations,
    baseline,
    bayesiannetwork,
    clustering,
    comparisons,
    densities,
    distributions,
    expressions,
    fields,
    gaussianprocess,
    generalregression,
    model,
    models,
    naivebayes,
    nearestneighbor,
    neural,
    predicates,
    predictors,
    rulesets,
    scorecards,
    sequences,
    textmodels,
    timeseries,
    vectors,
)
from modelstream.formats.pmml.elements.base import EXPRESSION, MODEL, PREDICATE, RULE, Element

EXPRESSIONS: tuple[type[Element], ...] = (
    expressions.Constant,
    expressions.FieldRef,
    expressions.NormContinuous,
    expressions.NormDiscrete,
    expressions.Discretize,
    expressions.MapValues,
    expressions.TextIndex,
    expressions.Apply,
)
PREDICATES: tuple[type[Element], ...] = (
    predicates.Always,
    predicates.Never,
    predicates.SimplePredicate,
    predicates.SimpleSetPredicate,
    predicates.CompoundPredicate,
)
MODELS: tuple[type[Element], ...] = (
    models.RegressionModel,
    models.TreeModel,
    models.MiningModel,
    models.AnomalyDetectionModel,
    rulesets.RuleSetModel,
    associations.AssociationModel,
    scorecards.Scorecard,
    neural.NeuralNetwork,
    vectors.SupportVectorMachineModel,
    clustering.ClusteringModel,
    generalregression.GeneralRegressionModel,
    naivebayes.NaiveBayesModel,
    nearestneighbor.NearestNeighborModel,
    gaussianprocess.GaussianProcessModel,
    bayesiannetwork.BayesianNetworkModel,
    baseline.BaselineModel,
    timeseries.TimeSeriesModel,
    sequences.SequenceModel,
    textmodels.TextModel,
)
OTHERS: tuple[type[Element], ...] = (
    expressions.Interval,
    expressions.Value,
    expressions.InlineTable,
    expressions.Row,
    expressions.LinearNorm,
    expressions.DiscretizeBin,
    expressions.FieldColumnPair,
    expressions.TextIndexNormalization,
    expressions.DerivedField,
    expressions.ParameterField,
    expressions.DefineFunction,
    expressions.TransformationDictionary,
    expressions.LocalTransformations,
    fields.DataField,
    fields.DataDictionary,
    fields.MiningField,
    fields.MiningSchema,
    fields.TargetValue,
    fields.Target,
    fields.Targets,
    fields.Decision,
    fields.Decisions,
    fields.OutputField,
    fields.Output,
    predicates.Array,
    model.VerificationField,
    model.VerificationFields,
    model.ModelVerification,
    models.NumericPredictor,
    predictors.CategoricalPredictor,
    models.PredictorTerm,
    models.RegressionTable,
    distributions.ScoreDistribution,
    models.Node,
    models.Segment,
    models.Segmentation,
    models.MeanClusterDistances,
    models.Document,
    *neural.PARTS,
    *vectors.PARTS,
    *rulesets.RULES,
    *rulesets.PARTS,
    *associations.PARTS,
    *scorecards.PARTS,
    *generalregression.PARTS,
    *densities.PARTS,
    *naivebayes.PARTS,
    *comparisons.PARTS,
    *clustering.PARTS,
    *nearestneighbor.PARTS,
    *gaussianprocess.PARTS,
    *bayesiannetwork.PARTS,
    *baseline.PARTS,
    *timeseries.PARTS,
    *sequences.PARTS,
    *textmodels.PARTS,
)

# Documentation and statistics of the training data: no rule of scoring is in them.
SKIPPED = frozenset(
    {
        "Covariances",
        "EventValues",
        "Extension",
        "Header",
        "KohonenMap",
        "MiningBuildTask",
        "ModelExplanation",
        "ModelStats",
        "PCovMatrix",
        "Partition",
        "Taxonomy",
        "TimeSeries",
        "TimeValue",
    }
)

# Elements that need more than the record that is scored, and why.
REFUSED = {
    "Aggregate": "it summarizes several records, and each is scored on its own; put the summary "
    "into the record",
    "Lag": "it is the value of an earlier record, and each is scored on its own, so that an answer "
    "would depend on the batch; put the earlier value into the record",
    "TableLocator": "its rows are outside the document; write them into an InlineTable",
}

# Elements whose extensions hold elements of the standard, where exporters put them before it did:
# of R, normal distributions, until PMML 4.2.
SEEN_THROUGH = frozenset({"BayesInputs"})

# Attributes that producers have written in another case than the standard, or before it had them.
MISSPELT = {
    "datatype": "dataType",
    "x-baseVersion": "baseVersion",
    "x-missingPredictionTreatment": "missingPredictionTreatment",
    "x-missingThreshold": "missingThreshold",
}

# Children that one parent holds in a group of its own, as their order among each other matters.
IN_ORDER = {
    ("VectorFields", "FieldRef"): vectors.COORDINATE,
    ("VectorFields", "CategoricalPredictor"): vectors.COORDINATE,
}


def tag_of(element: type[Element]) -> str:
    """Return the name that an element has in a document."""
    return str(element.__struct_config__.tag)


def element_types() -> dict[str, type[Element]]:
    """Return every known element type by its name."""
    return {tag_of(t): t for t in (*EXPRESSIONS, *PREDICATES, *MODELS, *OTHERS)}


def roles() -> dict[str, str]:
    """Return the group of each element that its parent holds by group, not by name."""
    groups = {
        EXPRESSION: EXPRESSIONS,
        PREDICATE: PREDICATES,
        MODEL: MODELS,
        RULE: rulesets.RULES,
        comparisons.MEASURE: comparisons.MEASURES,
    }
    return {tag_of(t): group for group, types in groups.items() for t in types}


def counted() -> dict[str, int]:
    """Return how many a document may have of the elements that cost more than to be read."""
    return {
        "DefineFunction": limits.PMML_FUNCTIONS_MAX,
        "DerivedField": limits.PMML_DERIVED_FIELDS_MAX,
        "DiscretizeBin": limits.PMML_BINS_MAX,
        "OutputField": limits.PMML_OUTPUT_FIELDS_MAX,
        "RegressionTable": limits.PMML_EQUATIONS_MAX,
        "Segment": limits.PMML_SEGMENTS_MAX,
        "row": limits.PMML_TABLE_ROWS_MAX,
    }


def counted_inside() -> dict[tuple[str, str], int]:
    """Return how many of a group one element may hold, where more would be refused later on."""
    return {
        ("Apply", EXPRESSION): limits.PMML_ARGUMENTS_MAX,
        ("CompoundPredicate", PREDICATE): limits.PMML_PREDICATES_MAX,
        ("Node", "Node"): limits.PMML_PREDICATES_MAX,
        ("Segmentation", "Segment"): limits.TREES_MAX,
    }
