"""One valid document of every kind of model: for what must hold of all of them."""

from tests.support import pmml_rare_documents as rare
from tests.support.pmml import KIND, Y, document, schema

# The fields x, z and c are the inputs of all documents.
FIELDS = (
    '<DataField name="x" optype="continuous" dataType="double">'
    '<Interval closure="closedOpen" leftMargin="-100" rightMargin="100"/></DataField>'
    '<DataField name="z" optype="continuous" dataType="float"/>'
    '<DataField name="c" optype="categorical" dataType="string">'
    '<Value value="u"/><Value value="v"/><Value value="?" property="missing"/></DataField>'
)
TREATMENT = (
    '<MiningField name="z" missingValueReplacement="0.5" missingValueTreatment="asMean" '
    'outliers="asExtremeValues" lowValue="-9" highValue="9"/>'
    '<MiningField name="c" invalidValueTreatment="asMissing"/>'
)


def inputs(target: str | None = "y") -> str:
    """Return the MiningSchema of the three inputs and a target."""
    return schema("x", target=target, extra=TREATMENT)


def doc(body: str, before: str = "") -> bytes:
    """Return a document with all fields."""
    return document(body, FIELDS + Y + KIND, before)


def outputs(*features: str, value: str = "a") -> str:
    """Return the Output of some features, of one category where they are of one."""
    fields = "".join(
        f'<OutputField name="{feature}" feature="{feature}" optype="categorical" '
        f'dataType="{"double" if feature in _NUMBERS else "string"}"'
        f"{f' value={chr(34)}{value}{chr(34)}' if feature == 'probability' else ''}/>"
        for feature in features
    )
    return f"<Output>{fields}</Output>"


_NUMBERS = frozenset({"probability", "confidence", "affinity", "standardDeviation"})


def less(field: str, value: float) -> str:
    """Return a predicate."""
    return f'<SimplePredicate field="{field}" operator="lessThan" value="{value}"/>'


FUNCTIONS = (
    '<TransformationDictionary><DefineFunction name="twice" optype="continuous" dataType="double">'
    '<ParameterField name="p" optype="continuous" dataType="double"/>'
    '<Apply function="*"><FieldRef field="p"/><Constant>2</Constant></Apply></DefineFunction>'
    '<DerivedField name="shared" optype="continuous" dataType="double">'
    '<Apply function="twice"><FieldRef field="x"/></Apply></DerivedField>'
    "</TransformationDictionary>"
)
LOCAL = (
    "<LocalTransformations>"
    '<DerivedField name="norm" optype="continuous" dataType="double"><NormContinuous field="z">'
    '<LinearNorm orig="0" norm="0"/><LinearNorm orig="2" norm="1"/></NormContinuous></DerivedField>'
    '<DerivedField name="bin" optype="categorical" dataType="string"><Discretize field="x" '
    'defaultValue="big"><DiscretizeBin binValue="low"><Interval closure="openClosed" '
    'rightMargin="1"/></DiscretizeBin></Discretize></DerivedField>'
    '<DerivedField name="looked" optype="continuous" dataType="double"><MapValues '
    'outputColumn="out" defaultValue="0"><FieldColumnPair field="c" column="in"/><InlineTable>'
    "<row><in>u</in><out>1</out></row><row><in>v</in><out>2</out></row></InlineTable></MapValues>"
    "</DerivedField>"
    '<DerivedField name="dummy" optype="continuous" dataType="double">'
    '<NormDiscrete field="c" value="u"/></DerivedField>'
    '<DerivedField name="words" optype="continuous" dataType="double"><TextIndex textField="c" '
    'isCaseSensitive="true"><Constant>u</Constant></TextIndex></DerivedField>'
    '<DerivedField name="called" optype="continuous" dataType="double"><Apply function="if">'
    '<Apply function="isMissing"><FieldRef field="x"/></Apply><Constant>0</Constant>'
    '<Apply function="ln"><Apply function="abs"><FieldRef field="shared"/></Apply></Apply>'
    "</Apply></DerivedField>"
    '<DerivedField name="matched" optype="categorical" dataType="boolean"><Apply '
    'function="matches"><FieldRef field="c"/><Constant>^(u|v)+$</Constant></Apply></DerivedField>'
    "</LocalTransformations>"
)
REGRESSION = (
    f'<RegressionModel modelName="line" functionName="regression" algorithmName="least squares">'
    f'{inputs()}<Targets><Target field="y" min="-50" rescaleFactor="1.5"/></Targets>{LOCAL}'
    '<RegressionTable intercept="1"><NumericPredictor name="norm" coefficient="2" exponent="2"/>'
    '<NumericPredictor name="looked" coefficient="1"/><NumericPredictor name="called" '
    'coefficient="1"/><NumericPredictor name="words" coefficient="1"/>'
    '<CategoricalPredictor name="bin" value="low" coefficient="-1"/>'
    '<PredictorTerm coefficient="0.5"><FieldRef field="x"/><FieldRef field="dummy"/></PredictorTerm>'
    "</RegressionTable></RegressionModel>"
)
LOGISTIC = (
    '<RegressionModel functionName="classification" normalizationMethod="softmax">'
    f"{inputs('kind')}{outputs('probability', 'predictedValue')}"
    '<RegressionTable intercept="1" targetCategory="a"><NumericPredictor name="x" coefficient="1"/>'
    '</RegressionTable><RegressionTable intercept="0" targetCategory="b"/></RegressionModel>'
)


def tree(target: str = "kind", scores: str = "ab", more: str = "", **attributes: str) -> str:
    """Return a tree of two levels on plain fields."""
    function = "classification" if target == "kind" else "regression"
    declared = "".join(f' {name}="{value}"' for name, value in attributes.items())
    parts = (
        '<ScoreDistribution value="a" recordCount="4" confidence="0.6"/>'
        '<ScoreDistribution value="b" recordCount="2" confidence="0.4"/>'
    )
    parts = parts if target == "kind" else ""
    return (
        f'<TreeModel functionName="{function}"{declared}>'
        f"{schema('x', 'z', 'c', target=target)}{more}"
        f'<Node id="0" score="{scores[0]}" recordCount="6" defaultChild="1"><True/>{parts}'
        f'<Node id="1" score="{scores[1]}" recordCount="3" defaultChild="3">{less("x", 1)}{parts}'
        f'<Node id="3" score="{scores[0]}" recordCount="2"><SimpleSetPredicate field="c" '
        f'booleanOperator="isIn"><Array type="string" n="2">u "w"</Array></SimpleSetPredicate>{parts}'
        f'</Node><Node id="4" score="{scores[1]}" recordCount="1"><True/>{parts}</Node></Node>'
        f'<Node id="2" score="{scores[0]}" recordCount="3"><CompoundPredicate '
        f'booleanOperator="surrogate">{less("z", 3)}<CompoundPredicate booleanOperator="or">'
        f'{less("x", 5)}<SimplePredicate field="c" operator="isMissing"/></CompoundPredicate>'
        f"</CompoundPredicate>{parts}</Node></Node></TreeModel>"
    )


def ensemble(method: str, *models: str, target: str = "kind", more: str = "") -> str:
    """Return a MiningModel of segments."""
    function = "classification" if target == "kind" else "regression"
    segments = "".join(
        f'<Segment id="s{number}" weight="{number + 1}"><True/>{model}</Segment>'
        for number, model in enumerate(models)
    )
    return (
        f'<MiningModel functionName="{function}">{inputs(target)}{more}'
        f'<Segmentation multipleModelMethod="{method}">{segments}</Segmentation></MiningModel>'
    )


RULES = (
    f'<RuleSetModel functionName="classification">{inputs("kind")}'
    f'{outputs("entityId", "confidence")}<RuleSet defaultScore="b">'
    '<RuleSelectionMethod criterion="firstHit"/><SimpleRule id="r" score="a" weight="0.3">'
    f'{less("x", 2)}</SimpleRule><CompoundRule>{less("z", 5)}<SimpleRule score="b" '
    f'confidence="0.4">{less("x", 0)}</SimpleRule></CompoundRule></RuleSet></RuleSetModel>'
)
ASSOCIATIONS = (
    f'<AssociationModel functionName="associationRules">{schema("c")}'
    f"{outputs('rule', 'ruleId', 'consequent')}"
    '<Item id="1" value="u"/><Item id="2" value="v"/>'
    '<Itemset id="a"><ItemRef itemRef="1"/></Itemset><Itemset id="b"><ItemRef itemRef="2"/></Itemset>'
    '<AssociationRule antecedent="a" consequent="b" support="0.4" confidence="0.8" lift="2"/>'
    "</AssociationModel>"
)
SCORECARD = (
    f'<Scorecard functionName="regression" initialScore="100">{inputs()}'
    '<Output><OutputField name="r1" feature="reasonCode" rank="1"/></Output><Characteristics>'
    '<Characteristic name="one" reasonCode="low" baselineScore="4">'
    f'<Attribute partialScore="1">{less("x", 0)}</Attribute>'
    f"<Attribute><True/><ComplexPartialScore>"
    '<Apply function="+"><FieldRef field="z"/><Constant>1</Constant></Apply>'
    "</ComplexPartialScore></Attribute></Characteristic></Characteristics></Scorecard>"
)


def neuron_input(name: str) -> str:
    """Return one input neuron."""
    return (
        f'<NeuralInput id="{name}"><DerivedField optype="continuous" dataType="double">'
        f'<FieldRef field="{name}"/></DerivedField></NeuralInput>'
    )


NETWORK = (
    '<NeuralNetwork functionName="regression" activationFunction="tanh">'
    f"{inputs()}<NeuralInputs>{neuron_input('x')}{neuron_input('z')}</NeuralInputs>"
    '<NeuralLayer><Neuron id="h1" bias="0.3"><Con from="x" weight="0.5"/>'
    '<Con from="z" weight="-1.5"/></Neuron><Neuron id="h2"><Con from="z" weight="2"/></Neuron>'
    '</NeuralLayer><NeuralLayer activationFunction="identity"><Neuron id="o">'
    '<Con from="h1" weight="1"/><Con from="h2" weight="-2"/></Neuron></NeuralLayer><NeuralOutputs>'
    '<NeuralOutput outputNeuron="o"><DerivedField optype="continuous" dataType="double">'
    '<FieldRef field="y"/></DerivedField></NeuralOutput></NeuralOutputs></NeuralNetwork>'
)
MACHINE = (
    f'<SupportVectorMachineModel functionName="classification">{inputs("kind")}'
    '<RadialBasisKernelType gamma="0.5"/><VectorDictionary><VectorFields><FieldRef field="x"/>'
    '<CategoricalPredictor name="c" value="u" coefficient="1"/></VectorFields>'
    '<VectorInstance id="v1"><Array type="real" n="2">1 0</Array></VectorInstance>'
    '<VectorInstance id="v2"><REAL-SparseArray n="2"><Indices>2</Indices>'
    "<REAL-Entries>1</REAL-Entries></REAL-SparseArray></VectorInstance></VectorDictionary>"
    '<SupportVectorMachine targetCategory="a" alternateTargetCategory="b"><SupportVectors>'
    '<SupportVector vectorId="v1"/><SupportVector vectorId="v2"/></SupportVectors>'
    '<Coefficients absoluteValue="0.1"><Coefficient value="1"/><Coefficient value="-1"/>'
    "</Coefficients></SupportVectorMachine></SupportVectorMachineModel>"
)
CLUSTERS = (
    f'<ClusteringModel functionName="clustering" modelClass="centerBased">{inputs(None)}'
    f"{outputs('predictedValue', 'affinity')}"
    '<ComparisonMeasure kind="distance"><squaredEuclidean/></ComparisonMeasure>'
    '<ClusteringField field="x" fieldWeight="2"/><ClusteringField field="z"/>'
    '<MissingValueWeights><Array type="real">1 2</Array></MissingValueWeights>'
    '<Cluster id="near"><Array type="real">0 1</Array></Cluster>'
    '<Cluster id="far"><Array type="real">8 9</Array></Cluster></ClusteringModel>'
)
GENERAL = (
    '<GeneralRegressionModel functionName="regression" modelType="generalizedLinear" '
    f'linkFunction="log" distribution="poisson">{inputs()}'
    '<ParameterList><Parameter name="p0"/><Parameter name="p1"/><Parameter name="p2"/>'
    '</ParameterList><FactorList><Predictor name="c"/></FactorList>'
    '<CovariateList><Predictor name="x"/></CovariateList><PPMatrix>'
    '<PPCell value="1" predictorName="x" parameterName="p1"/>'
    '<PPCell value="u" predictorName="c" parameterName="p2"/></PPMatrix><ParamMatrix>'
    '<PCell parameterName="p0" beta="0.5"/><PCell parameterName="p1" beta="0.1"/>'
    '<PCell parameterName="p2" beta="-1"/></ParamMatrix></GeneralRegressionModel>'
)
BAYES = (
    f'<NaiveBayesModel functionName="classification" threshold="0.001">{inputs("kind")}'
    f"{outputs('probability')}<BayesInputs>"
    '<BayesInput fieldName="c"><PairCounts value="u"><TargetValueCounts>'
    '<TargetValueCount value="a" count="5"/><TargetValueCount value="b" count="1"/>'
    '</TargetValueCounts></PairCounts></BayesInput><BayesInput fieldName="x"><TargetValueStats>'
    '<TargetValueStat value="a"><GaussianDistribution mean="0" variance="1"/></TargetValueStat>'
    '<TargetValueStat value="b"><PoissonDistribution mean="2"/></TargetValueStat>'
    '</TargetValueStats></BayesInput></BayesInputs><BayesOutput fieldName="kind">'
    '<TargetValueCounts><TargetValueCount value="a" count="6"/><TargetValueCount value="b" '
    'count="3"/></TargetValueCounts></BayesOutput></NaiveBayesModel>'
)
INSTANCES = (
    '<TrainingInstances recordCount="2"><InstanceFields><InstanceField field="x" column="x"/>'
    '<InstanceField field="z" column="z"/><InstanceField field="y" column="y"/></InstanceFields>'
    "<InlineTable><row><x>0</x><z>1</z><y>3</y></row><row><x>4</x><z>2</z><y>-1</y></row>"
    "</InlineTable></TrainingInstances>"
)
NEIGHBORS = (
    '<NearestNeighborModel functionName="regression" numberOfNeighbors="2" '
    f'continuousScoringMethod="weightedAverage">{inputs()}{INSTANCES}'
    '<ComparisonMeasure kind="distance"><euclidean/></ComparisonMeasure><KNNInputs>'
    '<KNNInput field="x"/><KNNInput field="z" fieldWeight="2"/></KNNInputs></NearestNeighborModel>'
)
PROCESS = (
    f'<GaussianProcessModel functionName="regression">{inputs()}{outputs("standardDeviation")}'
    '<RadialBasisKernel gamma="1.5" noiseVariance="0.1" lambda="2"/>'
    f"{INSTANCES}</GaussianProcessModel>"
)
FOREST = ensemble("average", tree(), tree(scores="ba", missingValueStrategy="nullPrediction"))
CHAIN = ensemble(
    "modelChain",
    tree("y", "12", '<Output><OutputField name="first" feature="predictedValue"/></Output>'),
    REGRESSION.replace('<FieldRef field="x"/><FieldRef field="dummy"/>', '<FieldRef field="first"/>')
    .replace('<MiningField name="x"/>', '<MiningField name="x"/><MiningField name="first"/>'),
    target="y",
)  # fmt: skip
ANOMALIES = (
    f'<AnomalyDetectionModel functionName="regression" algorithmType="iforest" sampleDataSize="16">'
    f"{inputs(None)}{outputs('predictedValue')}"
    f"{ensemble('average', tree('y', '12'), tree('y', '34'), target='y')}</AnomalyDetectionModel>"
)

DOCUMENTS: dict[str, bytes] = {
    "line": doc(REGRESSION, FUNCTIONS),
    "logistic": doc(LOGISTIC),
    "tree": doc(tree(missingValueStrategy="defaultChild", more=outputs("probability", "entityId"))),
    "walk": doc(tree(missingValueStrategy="weightedConfidence", more=outputs("confidence"))),
    "forest": doc(FOREST),
    "votes": doc(ensemble("weightedMajorityVote", tree(), LOGISTIC, RULES)),
    "chain": doc(CHAIN, FUNCTIONS),
    "rules": doc(RULES),
    "associations": doc(ASSOCIATIONS),
    "scorecard": doc(SCORECARD),
    "network": doc(NETWORK),
    "machine": doc(MACHINE),
    "clusters": doc(CLUSTERS),
    "general": doc(GENERAL),
    "bayes": doc(BAYES),
    "neighbors": doc(NEIGHBORS),
    "process": doc(PROCESS),
    "anomalies": doc(ANOMALIES),
    "baseline": doc(rare.BASELINE),
    "series": doc(rare.SERIES),
    "text": doc(rare.TEXT),
    "sequences": doc(rare.SEQUENCES),
    "bayesian": doc(rare.BAYESIAN),
}
