"""`show`: what a model is, for people and for programs."""

from pathlib import Path

import pytest

from modelstream.limits import DRAWN_FIELDS_MAX, DRAWN_PARTS_MAX
from tests.support.commands import Run
from tests.support.graphs import linear
from tests.support.pmml import document
from tests.support.pmml_documents import DOCUMENTS, doc, ensemble, tree


@pytest.fixture
def forest(tmp_path: Path) -> Path:
    path = tmp_path / "forest.pmml"
    header = b'<Header copyright="(c) [red]us[/red]"><Application name="R" version="4"/></Header>'
    body = ensemble("average", *[tree() for _ in range(DRAWN_PARTS_MAX + 3)])
    path.write_bytes(doc(body).replace(b"<Header/>", header))
    return path


def test_a_model_is_drawn_from_its_inputs_to_its_outputs(run: Run, forest: Path) -> None:
    ran = run("show", forest)
    assert (ran.code, ran.err) == (0, "")
    lines = [line.strip() for line in ran.out.splitlines()]
    assert lines[0].startswith("forest.pmml: pmml 4.4, ")
    assert lines[0].endswith(", made by R 4")
    assert lines[1] == "(c) [red]us[/red]"
    order = [
        next(n for n, line in enumerate(lines) if line.startswith(start))
        for start in (
            "3 in",
            "input",
            "x ",
            "MiningModel",
            "├── TreeModel",
            "└── ",
            "1 out",
            "kind ",
        )
    ]
    assert order == sorted(order)
    assert "trees 11 · nodes 55 · leaves 33 · depth 2" in ran.out
    assert lines[order[5]] == "└── ... and 3 more"


def test_fields_are_shown_with_what_is_done_to_their_values(run: Run, forest: Path) -> None:
    x, z, c = (" ".join(line.split()) for line in run("show", forest).out.splitlines()[6:9])
    assert x == "x float64 (double) [-100, 100) returnInvalid"
    assert z == "z float32 (float) asMean: 0.5 asExtremeValues [-9, 9] returnInvalid"
    assert c == "c string u, v asMissing"


def test_a_program_gets_all_of_it(run: Run, forest: Path) -> None:
    shown = run("show", forest, "--json").json()
    assert shown["header"]["application"] == "R"
    assert [field["name"] for field in shown["inputs"]] == ["x", "z", "c"]
    assert shown["inputs"][1]["replacement"] == "0.5"
    assert shown["outputs"][0]["labels"] == ["a", "b"]
    assert len(shown["structure"]["parts"]) == DRAWN_PARTS_MAX + 3


def test_hints_name_what_the_bytes_do_not(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "line.onnx"
    path.write_bytes(linear())
    shown = run("show", path, "--features", "a,b", "--json").json()
    assert [field["name"] for field in shown["inputs"]] == ["a", "b"]
    assert "float32[2]" in run("show", path).out


def test_of_many_fields_the_first_are_drawn(run: Run, tmp_path: Path) -> None:
    names = [f"f{n}" for n in range(DRAWN_FIELDS_MAX + 2)]
    fields = "".join(
        f'<DataField name="{name}" optype="continuous" dataType="double"/>' for name in names
    )
    schema = "".join(f'<MiningField name="{name}"/>' for name in names)
    path = tmp_path / "wide.pmml"
    path.write_bytes(
        document(
            f'<RegressionModel functionName="regression"><MiningSchema>{schema}</MiningSchema>'
            '<RegressionTable intercept="0"/></RegressionModel>',
            fields,
        )
    )
    out = run("show", path).out
    assert "... and 2 more; --json has all of them" in out
    assert names[-2] not in out
    assert len(run("show", path, "--json").json()["inputs"]) == len(names)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_kind_of_model_can_be_shown(run: Run, tmp_path: Path, name: str) -> None:
    path = tmp_path / f"{name}.pmml"
    path.write_bytes(DOCUMENTS[name])
    assert run("show", path).code == 0


def test_a_file_that_is_no_model_is_refused(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "what"
    path.write_bytes(b"hello")
    ran = run("show", path)
    assert (ran.code, ran.out) == (1, "")
    assert "cannot be told" in ran.err
