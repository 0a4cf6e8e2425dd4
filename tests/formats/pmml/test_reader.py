"""Reading bytes that are not trusted: what is refused, and by what name."""

import re

import pytest

from modelstream.errors import InvalidModel, UnsupportedModel
from modelstream.formats import limits
from modelstream.formats.pmml.elements.models import RegressionModel
from modelstream.formats.pmml.reader import VERSIONS, read_document
from tests.support.pmml import document, load, plain, regression, schema, score

PLAIN = document(regression('<NumericPredictor name="x" coefficient="2"/>'))


def with_prologue(prologue: str, text: bytes = PLAIN) -> bytes:
    return text.replace(b"?>", b"?>" + prologue.encode(), 1)


@pytest.mark.parametrize(
    "prologue",
    [
        "<!DOCTYPE PMML>",
        '<!DOCTYPE PMML SYSTEM "http://127.0.0.1:9/pmml.dtd">',
        '<!DOCTYPE PMML [<!ENTITY f SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE PMML [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>',
        '<!DOCTYPE PMML [<!ENTITY % p SYSTEM "http://127.0.0.1:9/e">%p;]>',
    ],
)
def test_declarations_of_types_and_entities_are_refused(prologue: str) -> None:
    with pytest.raises(InvalidModel, match="document type or entities"):
        read_document(with_prologue(prologue))


@pytest.mark.parametrize(
    "data", [b"", b"<PMML", b"<PMML></b>", b"\x00", PLAIN[:-3], PLAIN + b"<a/>"]
)
def test_bytes_that_are_not_xml_are_refused(data: bytes) -> None:
    with pytest.raises(InvalidModel, match="well-formed"):
        read_document(data)


def test_another_root_element_is_refused_by_name() -> None:
    with pytest.raises(InvalidModel, match="html"):
        read_document(b"<html/>")


@pytest.mark.parametrize("version", ["2.1", "5.0", ""])
def test_another_version_is_refused_by_name(version: str) -> None:
    with pytest.raises(UnsupportedModel, match=r"4\.4\.1"):
        read_document(PLAIN.replace(b'version="4.4"', f'version="{version}"'.encode()))


@pytest.mark.parametrize("version", VERSIONS)
def test_every_version_from_3_0_on_is_read(version: str) -> None:
    text = PLAIN.replace(b'version="4.4"', f'version="{version}"'.encode())
    assert plain(score(text, x=[2])["_target"]) == [4.0]


def test_a_model_that_is_not_evaluated_is_refused_with_those_that_are() -> None:
    with pytest.raises(UnsupportedModel, match=r"CubistModel.*MiningModel.*TreeModel"):
        load(document('<CubistModel functionName="regression"/>'))


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("<NumericPredictor ", '<NumericPredictor x-scale="2" ', "x-scale"),
        ("<NumericPredictor ", '<NumericPredictor power="2" ', "power"),
        ("<RegressionTable ", "<Lag/><RegressionTable ", "Lag"),
        ("<RegressionTable ", "<Node/><RegressionTable ", "Node"),
        ('functionName="regression"', 'functionName="clustering"', "clustering"),
    ],
)
def test_what_is_not_evaluated_is_refused_by_name(old: str, new: str, named: str) -> None:
    with pytest.raises(UnsupportedModel, match=re.escape(named)):
        read_document(PLAIN.replace(old.encode(), new.encode(), 1))


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ('coefficient="2"', 'coefficient="two"', "coefficient"),
        ('coefficient="2"', "", "coefficient"),
        ('intercept="0"', 'intercept="1e999"', "intercept"),
        ("<MiningSchema>", "<MiningSchema>text", "text"),
        ("<MiningSchema>", "<MiningSchema/><MiningSchema>", "MiningSchema"),
    ],
)
def test_what_breaks_the_schema_is_refused_by_name(old: str, new: str, named: str) -> None:
    with pytest.raises(InvalidModel, match=named):
        read_document(PLAIN.replace(old.encode(), new.encode(), 1))


def test_extensions_and_documentation_are_passed_over() -> None:
    extension = '<Extension name="any"><anything at="all"><x:y/></anything></Extension>'
    text = PLAIN.decode().replace(
        "<Header/>", f"<Header>{extension}<Annotation>n</Annotation></Header>"
    )
    text = text.replace("<MiningSchema>", f"{extension}<MiningSchema>{extension}")
    text = text.replace(
        "<RegressionTable", "<ModelStats><Univariate/></ModelStats><RegressionTable"
    )
    assert plain(score(text.encode(), x=[2])["_target"]) == [4.0]


def test_prefixes_and_foreign_namespaces_are_no_matter() -> None:
    text = PLAIN.decode().replace("<", "<p:").replace("<p:/", "</p:").replace("<p:?", "<?")
    text = text.replace('xmlns="', 'xsi:schemaLocation="a b" xmlns:xsi="i" xmlns:p="')
    assert plain(score(text.encode(), x=[2])["_target"]) == [4.0]


def test_a_document_in_another_encoding_is_read() -> None:
    text = PLAIN.decode().replace("UTF-8", "UTF-16").encode("utf-16")
    assert isinstance(read_document(text).models[0], RegressionModel)


def test_limits_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    deep = document(f'<RegressionModel functionName="regression">{"<Extension>" * 2000}')
    with pytest.raises(InvalidModel, match=str(limits.PMML_DEPTH_MAX)):
        read_document(deep)
    monkeypatch.setattr(limits, "PMML_ELEMENTS_MAX", 9)
    with pytest.raises(InvalidModel, match="more than 9 elements"):
        read_document(PLAIN)


def test_the_rows_of_tables_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "PMML_TABLE_ROWS_MAX", 2)
    rows = "<row><a>1</a></row>" * 3
    table = (
        '<MapValues outputColumn="a"><FieldColumnPair field="x" column="a"/>'
        f"<InlineTable>{rows}</InlineTable></MapValues>"
    )
    body = regression(
        inner='<LocalTransformations><DerivedField name="d" optype="continuous" '
        f'dataType="double">{table}</DerivedField></LocalTransformations>'
    )
    with pytest.raises(InvalidModel, match="more than 2 row elements"):
        read_document(document(body))


def test_types_may_be_spelled_as_the_examples_of_early_versions_do() -> None:
    output = '<Output><OutputField name="o" datatype="xs:double"/></Output>'
    assert plain(score(document(regression(inner=output)), x=[1])["o"]) == [0.0]


def test_two_models_in_one_document_are_refused() -> None:
    with pytest.raises(UnsupportedModel, match="2 models"):
        load(document(regression() + regression()))


def test_a_field_that_is_declared_twice_is_refused() -> None:
    field = '<DataField name="x" optype="continuous" dataType="double"/>'
    with pytest.raises(InvalidModel, match="twice"):
        load(document(regression(), field * 2))


def test_a_model_that_is_not_scorable_is_refused() -> None:
    body = regression().replace("<RegressionModel ", '<RegressionModel isScorable="false" ', 1)
    with pytest.raises(UnsupportedModel, match="isScorable"):
        load(document(body))


def test_a_schema_may_name_fields_that_are_computed() -> None:
    transformations = (
        '<TransformationDictionary><DerivedField name="twice" optype="continuous" '
        'dataType="double"><Apply function="*"><FieldRef field="x"/><Constant>2</Constant></Apply>'
        "</DerivedField></TransformationDictionary>"
    )
    body = (
        f'<RegressionModel functionName="regression">{schema("x", "twice", target="y")}'
        '<RegressionTable intercept="1"><NumericPredictor name="twice" coefficient="1"/>'
        "</RegressionTable></RegressionModel>"
    )
    assert plain(score(document(body, transformations=transformations), x=[3])["y"]) == [7.0]
