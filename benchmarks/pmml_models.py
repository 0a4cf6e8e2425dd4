"""The six models of the `pmml` benchmark: trained with scikit-learn, written as PMML 4.4.

They are of the kinds that R, H2O, XGBoost, Spark and scikit-learn export: see README.md.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.tree import DecisionTreeRegressor

from benchmarks.pmml_derived import add_derived, derived_fields, standard, write_scaled
from benchmarks.pmml_table import (
    CATEGORIES,
    FIELDS,
    NUMBERS,
    SCALES,
    Encoding,
    Matrix,
    Table,
    ones_of,
    sets_of,
    some_audits,
)
from benchmarks.pmml_writer import (
    LABELS,
    TARGET,
    add,
    add_layer,
    add_tables,
    add_tree,
    as_single,
    document,
    probabilities,
    schema,
    segment,
    written,
)

GLM, FOREST, LOGISTIC = "GLM", "random forest", "logistic, 42 derived"
TRAINING_ROWS, QUICK_ROWS = 2000, 200


@dataclass(frozen=True, slots=True)
class Made:
    """A model: its document, and the chance of label 1 that scikit-learn finds for whole rows.

    A document that is not `patient` refuses missing values, as scikit-learn does.
    """

    document: bytes
    chances: Callable[[Table], Matrix]
    patient: bool = True


@cache
def models(*, quick: bool = False) -> dict[str, Made]:
    """Train and write all of them; the quick ones are small."""
    table = _training(quick=quick)
    few, many = (3, 5) if quick else (31, 71)
    return {
        GLM: _general_regression(table),
        FOREST: _forest(*fit_forest(quick=quick)),
        f"GBM, {few} trees": _boosted(table, few),
        f"XGBoost-like, {many} trees": _boosted_singles(table, many),
        "neural net": _network(table),
        LOGISTIC: _logistic(table),
    }


def _training(*, quick: bool) -> Table:
    return some_audits(QUICK_ROWS if quick else TRAINING_ROWS, seed=1)


def _general_regression(table: Table) -> Made:
    """Return a GeneralRegressionModel as R's glm is exported, on five factors."""
    usual, features = table.usual(), ones_of().features
    fitted = _fitted(LogisticRegression(solver="newton-cholesky"), standard, table.filled(usual))
    root = document(FIELDS)
    model = add(
        root, "GeneralRegressionModel", functionName="classification", distribution="binomial",
        modelType="generalizedLinear", linkFunction="logit", targetReferenceCategory=LABELS[0],
        targetVariableName=TARGET,
    )  # fmt: skip
    schema(model, FIELDS, usual)
    probabilities(model)
    names = [f"p{number}" for number in range(len(features) + 1)]
    parameters = add(model, "ParameterList")
    for name in names:
        add(parameters, "Parameter", name=name, label=name)
    for tag, fields in (("FactorList", CATEGORIES), ("CovariateList", NUMBERS)):
        predictors = add(model, tag)
        for name in fields:
            add(predictors, "Predictor", name=name)
    cells = add(model, "PPMatrix")
    for name, (field, word) in zip(names[1:], features, strict=True):
        value = 1 if word is None else word
        add(cells, "PPCell", value=value, predictorName=field, parameterName=name)
    matrix = add(model, "ParamMatrix")
    for name, beta in zip(names, _unscaled(fitted), strict=True):
        add(matrix, "PCell", targetCategory=LABELS[1], parameterName=name, df=1, beta=beta)
    return Made(written(root), _chances(fitted, standard))


def _unscaled(fitted: LogisticRegression) -> list[float]:
    """Return the intercept and the weights of numbers as they are, of those of scaled numbers."""
    intercept, weights = float(fitted.intercept_[0]), fitted.coef_[0].tolist()
    for number, name in enumerate(NUMBERS):
        middle, width = SCALES[name]
        weights[number] /= width
        intercept -= weights[number] * middle
    return [intercept, *weights]


@cache
def fit_forest(*, quick: bool = False) -> tuple[RandomForestClassifier, Encoding]:
    """Train a forest of large trees; return it with what makes its matrix."""
    table = _training(quick=quick)
    table = table.filled(table.usual())
    kind = RandomForestClassifier(5 if quick else 71, max_leaf_nodes=290, random_state=0)
    encoding = sets_of(table)
    return _fitted(kind, encoding.matrix, table), encoding


def _forest(fitted: RandomForestClassifier, encoding: Encoding) -> Made:
    """Return a MiningModel of trees that vote, as R's randomForest is exported."""
    root = document(FIELDS)
    model = add(root, "MiningModel", functionName="classification")
    schema(model, FIELDS, refusing=True)
    probabilities(model)
    segmentation = add(model, "Segmentation", multipleModelMethod="majorityVote")
    for number, each in enumerate(fitted.estimators_):
        labels = [LABELS[best] for best in each.tree_.value[:, 0, :].argmax(axis=1)]
        add_tree(
            segment(segmentation, number), each.tree_, encoding.names, encoding.test, labels,
            functionName="classification",
        )  # fmt: skip

    def chances(given: Table) -> Matrix:
        matrix = encoding.matrix(given)
        votes: Matrix = np.mean([each.predict(matrix) for each in fitted.estimators_], axis=0)
        return votes

    return Made(written(root), chances, patient=False)


def _boosted(table: Table, trees: int) -> Made:
    """Return a sum of regression trees and the logistic function of it."""
    filled = table.filled(table.usual())
    encoding = sets_of(filled)
    kind = GradientBoostingClassifier(
        n_estimators=trees, max_depth=6, max_leaf_nodes=50, random_state=0
    )
    fitted = _fitted(kind, encoding.matrix, filled)
    share = filled.target.mean()
    root, ensemble = _summed("double", float(np.log(share / (1 - share))), refusing=True)
    for number, each in enumerate(fitted.estimators_[:, 0]):
        scores = each.tree_.value[:, 0, 0] * fitted.learning_rate
        add_tree(
            segment(ensemble, number), each.tree_, encoding.names, encoding.test, scores,
            functionName="regression",
        )  # fmt: skip
    return Made(written(root), _chances(fitted, encoding.matrix), patient=False)


def _boosted_singles(table: Table, trees: int) -> Made:
    """Return the same as XGBoost exports it: fields of 32 bits, each node with a default child.

    A missing value goes where most of the others went.
    """
    encoding = ones_of(as_single)
    filled = table.filled(table.usual())
    matrix = encoding.matrix(filled).astype(np.float32)
    margin, fitted = np.zeros(len(matrix)), []
    for number in range(trees):
        residual = table.target - _logistic_function(margin)
        each = DecisionTreeRegressor(max_depth=5, max_leaf_nodes=17, random_state=number)
        fitted.append(each.fit(matrix, residual))
        margin = margin + 0.5 * each.predict(matrix)

    def chances(given: Table) -> Matrix:
        numbers = encoding.matrix(given).astype(np.float32)
        return _logistic_function(sum(0.5 * each.predict(numbers) for each in fitted))

    root, ensemble = _summed("float", 0.0, refusing=False)
    for number, each in enumerate(fitted):
        add_tree(
            segment(ensemble, number), each.tree_, encoding.names, encoding.test,
            each.tree_.value[:, 0, 0] * 0.5, functionName="regression",
            missingValueStrategy="defaultChild",
        )  # fmt: skip
    return Made(written(root), chances)


def _network(table: Table) -> Made:
    """Return a neural network with one hidden layer on normalised fields."""
    usual = table.usual()
    kind = MLPClassifier((20,), activation="logistic", random_state=0, tol=1e-2)
    fitted = _fitted(kind, standard, table.filled(usual))
    root = document(FIELDS)
    model = add(root, "NeuralNetwork", functionName="classification", activationFunction="logistic")
    schema(model, FIELDS, usual)
    probabilities(model)
    _add_inputs(model)
    layers = zip(fitted.coefs_, fitted.intercepts_, strict=True)
    (hidden, hidden_bias), (last, last_bias) = layers
    add_layer(model, "h", hidden, hidden_bias, "i")
    # One output for the chance of label 1 is two of opposite weights, in a softmax.
    both, biases = np.hstack([-last, last]) / 2, np.hstack([-last_bias, last_bias]) / 2
    answers = add_layer(model, "o", both, biases, "h")
    answers.set("activationFunction", "identity")
    answers.set("normalizationMethod", "softmax")
    outputs = add(model, "NeuralOutputs")
    for number, label in enumerate(LABELS):
        output = add(outputs, "NeuralOutput", outputNeuron=f"o{number}")
        field = add(output, "DerivedField", optype="categorical", dataType="string")
        add(field, "NormDiscrete", field=TARGET, value=label)
    return Made(written(root), _chances(fitted, standard))


def _add_inputs(model: ET.Element) -> None:
    """Add an input for each number, scaled, and one for each category."""
    inputs = add(model, "NeuralInputs")
    for number, (name, word) in enumerate(ones_of().features):
        each = add(inputs, "NeuralInput", id=f"i{number}")
        field = add(each, "DerivedField", optype="continuous", dataType="double")
        if word is None:
            write_scaled(field, name)
        else:
            add(field, "NormDiscrete", field=name, value=word)


def _logistic(table: Table) -> Made:
    """Return a RegressionModel on derived fields, as pipelines of scikit-learn are exported."""
    usual, fields = table.usual(), derived_fields()

    def matrix(given: Table) -> Matrix:
        return np.column_stack([field.compute(given) for field in fields])

    fitted = _fitted(LogisticRegression(solver="newton-cholesky"), matrix, table.filled(usual))
    root = document(FIELDS)
    model = add(root, "RegressionModel", functionName="classification", normalizationMethod="logit")
    schema(model, FIELDS, usual)
    probabilities(model)
    add_derived(add(model, "LocalTransformations"), fields)
    add_tables(model, fitted.intercept_[0], [f.name for f in fields], fitted.coef_[0])
    return Made(written(root), _chances(fitted, matrix))


def _summed(number_type: str, initial: float, *, refusing: bool) -> tuple[ET.Element, ET.Element]:
    """Return a document of a sum of trees and its logistic function, and where its trees go."""
    root = document(FIELDS, number_type)
    chain = add(root, "MiningModel", functionName="classification")
    schema(chain, FIELDS, refusing=refusing)
    probabilities(chain)
    segments = add(chain, "Segmentation", multipleModelMethod="modelChain")
    trees = add(segment(segments, 1), "MiningModel", functionName="regression")
    fields = add(trees, "MiningSchema")
    for name in FIELDS:
        add(fields, "MiningField", name=name)
    output = add(trees, "Output")
    add(
        output, "OutputField", name="margin", optype="continuous", dataType="double",
        feature="predictedValue", isFinalResult="false",
    )  # fmt: skip
    targets = add(trees, "Targets")
    add(targets, "Target", rescaleConstant=initial)
    ensemble = add(trees, "Segmentation", multipleModelMethod="sum")
    last = add(
        segment(segments, 2), "RegressionModel",
        functionName="classification", normalizationMethod="logit",
    )  # fmt: skip
    schema(last, ["margin"])
    add_tables(last, 0.0, ["margin"], [1.0])
    return root, ensemble


def _fitted(estimator: Any, matrix: Callable[[Table], Matrix], table: Table) -> Any:
    return estimator.fit(matrix(table), table.target)


def _chances(fitted: Any, matrix: Callable[[Table], Matrix]) -> Callable[[Table], Matrix]:
    """Return what gives the chance of label 1."""
    return lambda given: fitted.predict_proba(matrix(given))[:, 1]


def _logistic_function(margin: Matrix) -> Matrix:
    return 1 / (1 + np.exp(-margin))
