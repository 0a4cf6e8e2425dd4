"""Every attribute that the reader lets in is read by the evaluator, or is documentation alone."""

import ast
from pathlib import Path

import msgspec
import pytest

import modelstream.formats.pmml
from modelstream.errors import UnsupportedModel
from modelstream.formats.pmml.elements.vocabulary import element_types
from tests.support.pmml import document, load, regression

SOURCES = Path(modelstream.formats.pmml.__file__).parent
# By the standard: names to show, statistics of the training, counts of what follows anyway.
DOCUMENTATION = {
    "AssociationModel": "numberOfTransactions maxNumberOfItemsPerTA avgNumberOfItemsPerTA "
    "minimumSupport minimumConfidence lengthLimit numberOfItems numberOfItemsets numberOfRules",
    "BaselineStratum": "label",
    "Coefficients": "numberOfCoefficients",
    "Constraints": "minimumNumberOfItems maximumNumberOfItems minimumNumberOfAntecedentItems "
    "maximumNumberOfAntecedentItems minimumNumberOfConsequentItems "
    "maximumNumberOfConsequentItems minimumSupport minimumConfidence minimumLift "
    "minimumTotalSequenceTime maximumTotalSequenceTime minimumItemsetSeparationTime "
    "maximumItemsetSeparationTime minimumAntConsSeparationTime maximumAntConsSeparationTime",
    "DataDictionary": "numberOfFields",
    "DataField": "displayName",
    "Decisions": "businessProblem Decision",
    "DerivedField": "displayName",
    "ExponentialSmoothing": "RMSE transformation",  # of transformations only `none` is let in
    "GeneralRegressionModel": "targetVariableName modelDF startTimeVariable subjectIDVariable "
    "statusVariable",
    "Item": "mappedValue",
    "Itemset": "numberOfItems",
    "Level": "alpha",
    "MiningField": "importance",
    "ModelVerification": "fieldCount",
    "NeuralInputs": "numberOfInputs",
    "NeuralLayer": "numberOfNeurons",
    "NeuralNetwork": "numberOfLayers",
    "NeuralOutputs": "numberOfOutputs",
    "OutputField": "displayName Decisions",
    "PCell": "df",
    "PMML": "baseVersion",
    "Parameter": "label",
    "ParameterField": "displayName",
    "Predictor": "contrastMatrixType",  # the matrix itself is given
    "RegressionModel": "targetFieldName",
    "RuleSet": "nbCorrect",
    "Scorecard": "baselineMethod",
    "Sequence": "numberOfSets occurrence Time",
    "SequenceModel": "numberOfTransactions maxNumberOfItemsPerTransaction "
    "avgNumberOfItemsPerTransaction numberOfTransactionGroups maxNumberOfTAsPerTAGroup "
    "avgNumberOfTAsPerTAGroup",
    "SequenceRule": "numberOfSets occurrence Time",
    "SimpleRule": "nbCorrect",
    "SupportVectors": "numberOfSupportVectors numberOfAttributes",
    "TextDocument": "file",
    "Time": "standardDeviation",
    "TrainingInstances": "fieldCount",
    "TreeModel": "splitCharacteristic",
    "VectorDictionary": "numberOfVectors",
    "VectorFields": "numberOfFields",
}


def words_of_the_evaluator() -> set[str]:
    """Return all attributes that the sources read, by their own name or by a string."""
    words: set[str] = set()
    for path in SOURCES.rglob("*.py"):
        if path.parent.name == "elements":
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute):
                words.add(node.attr)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                words.add(node.value)
    return words


def test_what_is_let_in_and_never_read_is_documentation() -> None:
    words = words_of_the_evaluator()
    unread = {
        tag: {f.encode_name for f in msgspec.structs.fields(element) if f.name not in words}
        for tag, element in element_types().items()
    }
    found = {tag: names for tag, names in unread.items() if names}
    assert found == {tag: set(names.split()) for tag, names in DOCUMENTATION.items()}


@pytest.mark.parametrize("attribute", ["x-reportField", "weight", "scorable"])
def test_an_attribute_that_is_not_known_is_refused_by_name(attribute: str) -> None:
    body = regression().replace("<RegressionTable", f'<RegressionTable {attribute}="1"')
    with pytest.raises(UnsupportedModel, match=attribute):
        load(document(body))
