"""One valid document of each kind of model that is seldom met, without what is around a model."""

from tests.support.pmml import schema

BASELINE = (
    f'<BaselineModel functionName="regression">{schema("x", target="y")}'
    '<TestDistributions field="x" testStatistic="zValue"><Baseline>'
    '<GaussianDistribution mean="5" variance="4"/></Baseline></TestDistributions></BaselineModel>'
)
SERIES = (
    f'<TimeSeriesModel functionName="timeSeries" bestFit="ExponentialSmoothing">'
    f'{schema("x", target="y")}<ExponentialSmoothing><Level alpha="0.2" smoothedValue="10"/>'
    '<Trend_ExpoSmooth trend="damped_additive" gamma="0.1" phi="0.9" smoothedValue="2"/>'
    "</ExponentialSmoothing></TimeSeriesModel>"
)
TEXT = (
    '<TextModel functionName="clustering" numberOfTerms="2" numberOfDocuments="2">'
    f'{schema("x", "z")}<Output><OutputField name="likeness" feature="affinity"/></Output>'
    '<TextDictionary><Array type="string" n="2">x z</Array></TextDictionary><TextCorpus>'
    '<TextDocument id="d0" name="first"/><TextDocument id="d1"/></TextCorpus><DocumentTermMatrix>'
    '<Matrix><Array type="int">2 0</Array><Array type="int">1 3</Array></Matrix>'
    '</DocumentTermMatrix><TextModelSimiliarity similarityType="cosine"/></TextModel>'
)
ONE = '<Delimiter delimiter="acrossTimeWindows" gap="true"/>'
SEQUENCES = (
    f'<SequenceModel functionName="sequences">{schema("c")}<Output>'
    '<OutputField name="rule" feature="ruleId"/></Output>'
    '<Item id="1" value="u"/><Item id="2" value="v"/><Itemset id="A"><ItemRef itemRef="1"/>'
    '</Itemset><Itemset id="B"><ItemRef itemRef="2"/></Itemset>'
    '<Sequence id="a" numberOfSets="1"><SetReference setId="A"/></Sequence>'
    f'<Sequence id="b" numberOfSets="2"><SetReference setId="B"/>{ONE}<SetReference setId="A"/>'
    '</Sequence><SequenceRule id="r" support="0.1" confidence="0.5"><AntecedentSequence>'
    f'<SequenceReference seqId="a"/></AntecedentSequence>{ONE}<ConsequentSequence>'
    '<SequenceReference seqId="b"/></ConsequentSequence></SequenceRule></SequenceModel>'
)
BAYESIAN = (
    f'<BayesianNetworkModel functionName="classification">{schema("c", target="kind")}'
    '<BayesianNetworkNodes><DiscreteNode name="c"><ValueProbability value="u" probability="0.3"/>'
    '<ValueProbability value="v" probability="0.7"/></DiscreteNode><DiscreteNode name="kind">'
    '<DiscreteConditionalProbability><ParentValue parent="c" value="u"/>'
    '<ValueProbability value="a" probability="0.9"/><ValueProbability value="b" probability="0.1"/>'
    "</DiscreteConditionalProbability><DiscreteConditionalProbability>"
    '<ParentValue parent="c" value="v"/><ValueProbability value="a" probability="0.2"/>'
    '<ValueProbability value="b" probability="0.8"/></DiscreteConditionalProbability>'
    "</DiscreteNode></BayesianNetworkNodes></BayesianNetworkModel>"
)
