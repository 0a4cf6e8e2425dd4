"""Text models: the nearest document, against the standard's weights written out term by term."""

import math
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from modelstream.errors import InvalidModel, UnsupportedModel
from modelstream.formats import limits
from tests.support.pmml import document, load, plain, schema, score

TERMS = ("stream", "model", "log")
CORPUS = ((2, 0, 1), (0, 3, 0), (1, 1, 4), (0, 1, 0))
FIELDS = "".join(
    f'<DataField name="{term}" optype="continuous" dataType="double"/>' for term in TERMS
)
OUTPUTS = (
    '<OutputField name="id" feature="entityId"/>'
    '<OutputField name="name" feature="predictedDisplayValue"/>'
    '<OutputField name="likeness" feature="affinity"/>'
)


def text_model(
    normalization: str = "",
    similarity: str = "cosine",
    outputs: str = OUTPUTS,
    corpus: tuple[tuple[int, ...], ...] = CORPUS,
    inner: str = "",
) -> str:
    documents = "".join(
        f'<TextDocument id="d{n}" name="document {n}" length="9" file="d{n}.txt"/>'
        for n in range(len(corpus))
    )
    rows = "".join(f'<Array type="int">{" ".join(map(str, row))}</Array>' for row in corpus)
    return (
        f'<TextModel functionName="clustering" numberOfTerms="{len(TERMS)}" '
        f'numberOfDocuments="{len(corpus)}">{inner or schema(*TERMS)}<Output>{outputs}</Output>'
        f'<TextDictionary><Array type="string" n="3">{" ".join(TERMS)}</Array></TextDictionary>'
        f"<TextCorpus>{documents}</TextCorpus>"
        f"<DocumentTermMatrix><Matrix>{rows}</Matrix></DocumentTermMatrix>{normalization}"
        f'<TextModelSimiliarity similarityType="{similarity}"/></TextModel>'
    )


def ask(body: str, *records: tuple[Any, ...], fields: str = FIELDS) -> dict[str, list[Any]]:
    columns = {term: [record[n] for record in records] for n, term in enumerate(TERMS)}
    answers = score(document(body, fields), **columns)
    assert not answers.errors
    return {name: plain(answers[name]) for name in answers}


def test_the_nearest_document_is_the_answer() -> None:
    answers = ask(text_model(), (4, 0, 2), (0, 1, 0), (1, 0, 9))
    assert answers["_target"] == answers["id"] == ["d0", "d1", "d2"]
    assert answers["name"] == ["document 0", "document 1", "document 2"]
    assert answers["likeness"] == pytest.approx([1.0, 1.0, 37 / math.sqrt(18 * 82)])


def test_euclidean_similarity_is_a_distance() -> None:
    answers = ask(text_model(similarity="euclidean"), (2, 0, 1), (0, 0, 0))
    assert answers["id"] == ["d0", "d3"]
    assert answers["likeness"] == [0.0, 1.0]


def test_a_record_without_a_direction_has_no_nearest_document() -> None:
    answers = ask(text_model(), (0, 0, 0), (1, None, 1), (1, -1, 1))
    assert answers == {name: [None] * 3 for name in ("_target", "id", "name", "likeness")}


def test_outputs_are_of_any_rank_or_of_a_document() -> None:
    outputs = (
        '<OutputField name="second" feature="entityId" rank="2"/>'
        '<OutputField name="how" feature="entityAffinity" rank="2"/>'
        '<OutputField name="d3" feature="affinity" value="d3"/>'
    )
    answers = ask(text_model(similarity="euclidean", outputs=outputs), (0, 2, 0))
    # d1 and d3 are both one away: of equals the first is the nearer.
    assert answers == {"_target": ["d1"], "second": ["d3"], "how": [1.0], "d3": [1.0]}


def test_frequencies_may_be_counted_in_a_text() -> None:
    derived = "".join(
        f'<DerivedField name="{term}" optype="continuous" dataType="double">'
        f'<TextIndex textField="text"><Constant>{term}</Constant></TextIndex></DerivedField>'
        for term in TERMS
    )
    inner = f"{schema('text')}<LocalTransformations>{derived}</LocalTransformations>"
    fields = '<DataField name="text" optype="categorical" dataType="string"/>'
    body = document(text_model(inner=inner), fields)
    answers = score(body, text=["a model in a model", "log, log: stream; log model log", None])
    assert plain(answers["id"]) == ["d1", "d2", None]


LOCAL: dict[str, Callable[[Any], list[float]]] = {
    "termFrequency": list,
    "binary": lambda counts: [float(count > 0) for count in counts],
    "logarithmic": lambda counts: [math.log10(1 + count) for count in counts],
    "augmentedNormalizedTermFrequency": lambda counts: [
        0.0 if count == 0 else 0.5 * (1.0 + count / max(counts)) for count in counts
    ],
}


def global_weight(kind: str, counts: list[int]) -> float:
    """Return what a term weighs that occurs so often in each document of the corpus."""
    holding = sum(count > 0 for count in counts)
    match kind:
        case "none":
            return 1.0
        case "inverseDocumentFrequency":
            return math.log10(len(counts) / holding)
        case "GFIDF":
            return sum(counts) / holding
        case "normal":
            return 1.0 / math.sqrt(sum(count**2 for count in counts))
        case _:
            return math.log10((len(counts) - holding) / holding)


def weights(local: str, kind: str, normal: str, corpus: Any, record: Any) -> list[float]:
    shares = [global_weight(kind, [row[n] for row in corpus]) for n in range(len(TERMS))]
    found = [g * x for g, x in zip(shares, LOCAL[local](record), strict=True)]
    length = math.hypot(*found)
    return found if normal == "none" else [x / length for x in found]


@settings(max_examples=120, deadline=None)
@given(
    rules=st.tuples(
        st.sampled_from(list(LOCAL)),
        st.sampled_from(
            ["none", "inverseDocumentFrequency", "GFIDF", "normal", "probabilisticInverse"]
        ),
        st.sampled_from(["none", "cosine"]),
    ),
    similarity=st.sampled_from(["euclidean", "cosine"]),
    more=st.lists(st.tuples(*[st.integers(0, 3)] * 3).filter(any), max_size=3),
    record=st.tuples(*[st.integers(0, 3)] * 3).filter(any),
)
def test_weights_and_similarities_are_those_of_the_standard(
    rules: tuple[str, str, str], similarity: str, more: Any, record: Any
) -> None:
    local, kind, normal = rules
    # Each term is in some of these and in some not, as its global weight needs.
    corpus = ((1, 2, 0), (0, 1, 3), (2, 0, 1), *more)
    with_weight = [*map(list, corpus), list(record)]
    assume(all(math.hypot(*weights(local, kind, "none", corpus, r)) > 1e-9 for r in with_weight))
    outputs = "".join(
        f'<OutputField name="a{n}" feature="affinity" value="d{n}"/>' for n in range(len(corpus))
    )
    written = (
        f'<TextModelNormalization localTermWeights="{local}" globalTermWeights="{kind}" '
        f'documentNormalization="{normal}"/>'
    )
    answers = ask(text_model(written, similarity, outputs, corpus), record)
    asked = weights(local, kind, normal, corpus, record)
    wanted = []
    for row in corpus:
        other = weights(local, kind, normal, corpus, row)
        cosine = sum(a * b for a, b in zip(asked, other, strict=True))
        cosine /= math.hypot(*asked) * math.hypot(*other)
        wanted.append(math.dist(asked, other) if similarity == "euclidean" else cosine)
    found = [answers[f"a{n}"][0] for n in range(len(corpus))]
    assert found == pytest.approx(wanted, abs=1e-7)
    best = min(found) if similarity == "euclidean" else max(found)
    assert answers["_target"] == [f"d{found.index(best)}"]


def test_weights_are_defined_for_terms_of_some_documents_only() -> None:
    rules = '<TextModelNormalization globalTermWeights="{}"/>'
    everywhere, nowhere = ((1, 0, 1), (1, 1, 0)), ((1, 0, 0), (0, 1, 0))
    with pytest.raises(InvalidModel, match=r"probabilisticInverse.*'stream'.* 2 of 2"):
        load(document(text_model(rules.format("probabilisticInverse"), corpus=everywhere), FIELDS))
    with pytest.raises(InvalidModel, match=r"inverseDocumentFrequency.*'log'.* 0 of 2"):
        load(document(text_model("<TextModelNormalization/>", corpus=nowhere), FIELDS))
    with pytest.raises(InvalidModel, match="'d1' has no term that weighs"):
        load(document(text_model(corpus=((1, 0, 0), (0, 0, 0))), FIELDS))


def test_what_is_not_a_text_model_is_refused_by_name() -> None:
    body = text_model()
    with pytest.raises(InvalidModel, match="shape"):
        load(document(body.replace('numberOfTerms="3"', 'numberOfTerms="2"'), FIELDS))
    with pytest.raises(InvalidModel, match="same id"):
        load(document(body.replace('id="d1"', 'id="d0"'), FIELDS))
    with pytest.raises(InvalidModel, match="frequency"):
        load(document(body.replace("2 0 1", "2 -1 1"), FIELDS))
    with pytest.raises(UnsupportedModel, match=r"'model'.*TextIndex"):
        load(document(text_model(inner=schema("stream", "log")), FIELDS))
    text = FIELDS.replace(
        '"model" optype="continuous" dataType="double"',
        '"model" optype="categorical" dataType="string"',
    )
    with pytest.raises(UnsupportedModel, match=r"'model' holds text"):
        load(document(body, text))
    with pytest.raises(UnsupportedModel, match="rank=5 of 4"):
        load(
            document(
                text_model(outputs='<OutputField name="o" feature="entityId" rank="5"/>'), FIELDS
            )
        )
    with pytest.raises(InvalidModel, match="'d9' is not a TextDocument"):
        load(
            document(
                text_model(outputs='<OutputField name="o" feature="affinity" value="d9"/>'), FIELDS
            )
        )
    with pytest.raises((InvalidModel, UnsupportedModel), match="TextModelSimiliarity"):
        load(document(body.replace('<TextModelSimiliarity similarityType="cosine"/>', ""), FIELDS))


def test_the_answer_of_a_target_is_one_of_its_values() -> None:
    kinds = '<DataField name="kind" optype="categorical" dataType="string">{}</DataField>'
    body = text_model(inner=schema(*TERMS, target="kind"))
    ids = "".join(f'<Value value="d{n}"/>' for n in range(4))
    answers = ask(body, (4, 0, 2), fields=FIELDS + kinds.format(ids))
    assert answers["kind"] == ["d0"]
    with pytest.raises(UnsupportedModel, match="not a value of its target: 'd0'"):
        load(document(body, FIELDS + kinds.format('<Value value="sports"/>')))


def test_a_corpus_past_the_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "PMML_TEXT_DOCUMENTS_MAX", 3)
    with pytest.raises(UnsupportedModel, match="4 documents; at most 3"):
        load(document(text_model(), FIELDS))


def test_a_text_model_is_told_by_its_corpus() -> None:
    structure = load(document(text_model(), FIELDS)).describe().structure
    assert structure.kind == "TextModel"
    facts = {"function": "clustering", "documents": 4, "terms": 3, "similarity": "cosine"}
    assert structure.facts == facts
