"""Functions of a flow's owner: by registered names alone."""

import sys
from pathlib import Path

import pytest

from modelstream.errors import InvalidFlow, InvalidModel, UnsupportedModel
from modelstream.flow import Flow, flow_of_plain, parse_flow, plain_flow
from modelstream.formats.functions import check_functions, find_function, import_functions
from modelstream.limits import FUNCTIONS_MAX
from tests.support import owner_functions
from tests.support.owner_functions import TARGET, registered

HEAD = 'name = "wine"\n'


def test_a_flow_registers_functions_in_a_table() -> None:
    flow = parse_flow(f'{HEAD}[functions]\nratio = "{TARGET}:ratio"\n')
    assert dict(flow.functions) == registered("ratio")
    assert flow_of_plain(plain_flow(flow)) == flow
    assert parse_flow(HEAD).functions == {}


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ('ratio = "features"', "name a function of a module"),
        ('ratio = "features:"', "name a function of a module"),
        ('ratio = "features:a.b"', "name a function of a module"),
        ('ratio = "os; x:y"', "name a function of a module"),
        ('ratio = "..features:x"', "name a function of a module"),
        ('"" = "features:ratio"', "has the name ''"),
        ("ratio = 1", "must be a table of functions"),
    ],
)
def test_what_names_no_function_is_refused_with_its_line(line: str, why: str) -> None:
    with pytest.raises(InvalidFlow, match=why) as caught:
        parse_flow(f"{HEAD}[functions]\n{line}\n")
    assert str(caught.value).startswith("flow.toml:2")


def test_functions_are_few() -> None:
    many = {f"f{at}": "m:f" for at in range(FUNCTIONS_MAX + 1)}
    with pytest.raises(InvalidFlow, match=f"at most {FUNCTIONS_MAX}"):
        Flow(name="wine", functions=many)


def test_checking_imports_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "owner_module_of_a_test.py").write_text("raise RuntimeError('run')\n")
    monkeypatch.syspath_prepend(tmp_path)
    functions = {"f": "owner_module_of_a_test:f"}
    check_functions(functions)
    assert "owner_module_of_a_test" not in sys.modules
    with pytest.raises(InvalidFlow, match="which cannot be imported: RuntimeError: run"):
        import_functions(functions)


def test_a_function_is_found_by_its_registered_name_alone() -> None:
    assert find_function("ratio", registered("ratio")) is owner_functions.ratio
    with pytest.raises(UnsupportedModel, match=r"no function 'system' .*registered: 'ratio'.*"):
        find_function("system", registered("ratio"))
    with pytest.raises(UnsupportedModel, match=r"registered: none"):
        find_function("os:system", {})


@pytest.mark.parametrize(
    ("target", "why"),
    [
        ("no_such_module:f", "ModuleNotFoundError: .*name its directory in PYTHONPATH"),
        (f"{TARGET}:none", "AttributeError"),
        (f"{TARGET}:NO_FUNCTION", "which is no function"),
    ],
)
def test_what_is_not_there_is_told(target: str, why: str) -> None:
    with pytest.raises(InvalidModel, match=why):
        find_function("f", {"f": target})
