import pytest

from modelstream import limits
from modelstream.errors import InvalidModel
from modelstream.formats.base import Field
from modelstream.formats.pipeline.scope import Scope


def test_a_field_of_the_records_is_what_all_of_its_readers_take() -> None:
    scope = Scope({})
    scope.read(Field("x", "int64", optional=True))
    assert scope.inputs["x"] == Field("x", "int64", optional=True)
    scope.read(Field("x", "float32", optional=True))
    assert scope.inputs["x"] == Field("x", "float64", optional=True)
    scope.read(Field("x", "float64"), passes=True)
    assert not scope.inputs["x"].optional


def test_open_dimensions_are_closed_by_a_reader_that_knows_them() -> None:
    scope = Scope({})
    scope.read(Field("v", "float64", (None, 3)))
    scope.read(Field("v", "float64", (2, None)))
    assert scope.inputs["v"].shape == (2, 3)
    with pytest.raises(InvalidModel, match=r"'v' has the shape \[2, 3\] where \[3, 3\] is read"):
        scope.read(Field("v", "float64", (3, 3)))


def test_what_is_declared_stays_as_it_is() -> None:
    scope = Scope({"x": Field("x", "int32", optional=True)})
    with pytest.raises(InvalidModel, match="'x' may be missing; impute it before"):
        scope.read(Field("x", "float64"))
    assert scope.inputs["x"] == Field("x", "int32", optional=True)
    assert scope.read(Field("x", "float64"), passes=True).optional
    with pytest.raises(InvalidModel, match=r"'x' is a number \(float64\) where a text is read"):
        scope.read(Field("x", "string", optional=True))


def test_what_a_step_made_is_no_field_of_the_records() -> None:
    scope = Scope({})
    scope.read(Field("x", "float64", optional=True))
    scope.make(Field("x", "string"), reads=["x"])
    scope.read(Field("x", "string"))
    assert scope.inputs == {"x": Field("x", "float64", optional=True)}
    assert scope.made == ["x"]


def test_a_column_is_not_made_twice() -> None:
    scope = Scope({})
    scope.make(Field("y", "float64"))
    for reads in ([], ["y"]):
        with pytest.raises(InvalidModel, match="'y' is there already; give this one another name"):
            scope.make(Field("y", "float64"), reads=reads)
    scope.enter("step 2")
    scope.make(Field("y", "string"), reads=["y"])
    assert scope.known("y") == Field("y", "string")


def test_the_number_of_columns_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "FIELDS_MAX", 1)
    scope = Scope({})
    scope.make(Field("a", "float64"))
    with pytest.raises(InvalidModel, match="more than 1 columns"):
        scope.make(Field("b", "float64"))
