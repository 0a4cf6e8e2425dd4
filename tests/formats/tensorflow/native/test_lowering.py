"""What TensorFlow itself may run, what nothing runs, and what is kept; without TensorFlow."""

import numpy as np
import pytest

from modelstream import load_model
from modelstream.errors import InvalidModel, UnsupportedModel
from modelstream.formats import runtimes
from modelstream.formats.base import Elsewhere, Hints
from modelstream.formats.tensorflow import GraphDefFormat, SavedModelFormat
from modelstream.formats.tensorflow.native.form import (
    Fed,
    Fetched,
    decode_form,
    encode_form,
    is_native,
)
from modelstream.formats.tensorflow.native.operators import ALLOWED
from modelstream.wire.proto import tensorflow_subset_pb2 as pb
from tests.support.tensorflow import (
    FLOAT,
    STRING,
    call,
    constant,
    function,
    graph,
    node,
    placeholder,
    to_bytes,
)
from tests.support.tensorflow_saved import info, saved_model, scaled, signature, tarred

INSTALLED = Hints(("a", "b"), ("no", "yes"), runtimes=("tensorflow",))
HASH = node("y", "StringToHashBucketFast", ["x"], num_buckets=5)


def hashing(*more: pb.NodeDef) -> bytes:
    return to_bytes(graph(placeholder("x", None, STRING), HASH, *more))


def test_without_tensorflow_the_refusal_names_operation_node_and_extra() -> None:
    told = (
        r"not evaluated: StringToHashBucketFast \(node 'y'\); .*; or install TensorFlow, .*"
        r"pip install 'modelstream\[tensorflow\]'"
    )
    with pytest.raises(UnsupportedModel, match=told):
        GraphDefFormat().lower(hashing(), Hints())


def test_with_tensorflow_the_graph_is_kept_as_far_as_it_is_needed() -> None:
    beside = node("z", "ReadFile", ["name"])
    lowered = GraphDefFormat().lower(
        hashing(constant("name", np.array(1.0)), beside),
        Hints(("a", "b"), ("no", "yes"), signature="->y", runtimes=("tensorflow",)),
    )
    assert isinstance(lowered, Elsewhere)
    assert is_native(lowered)
    form = decode_form(lowered)
    assert form.inputs == (Fed("x", "x:0", "object", (None,)),)
    assert form.outputs == (Fetched("y", "y:0"),)
    assert (form.feature_names, form.labels) == (("a", "b"), ("no", "yes"))
    assert form.initial == ()
    kept = pb.GraphDef.FromString(form.graph)
    assert {each.name for each in kept.node} == {"x", "y"}
    assert kept.versions.producer == 1087
    assert encode_form(form) == lowered


@pytest.mark.parametrize(
    "operation",
    [
        *("ReadFile", "WriteFile", "PyFunc", "PyFuncStateless", "EagerPyFunc", "MatchingFiles"),
        *(
            "SaveV2",
            "RestoreV2",
            "ImmutableConst",
            "InitializeTableFromTextFileV2",
            "RandomUniform",
        ),
        *("AssignAddVariableOp", "RpcCall", "XlaLaunch", "IteratorGetNext", "LookupTableInsertV2"),
    ],
)
def test_what_reaches_beyond_the_graph_is_run_by_nothing(operation: str) -> None:
    harmful = node("f", operation, ["x"])
    for data in (
        to_bytes(graph(placeholder("x"), harmful, node("y", "Neg", ["f"]))),
        to_bytes(graph(placeholder("x"), harmful, node("y", "Neg", ["x", "^f"]))),
    ):
        with pytest.raises(UnsupportedModel, match=rf"run by nothing here.*{operation} \(node 'f'"):
            GraphDefFormat().lower(data, INSTALLED)


def test_it_is_found_inside_functions_and_the_functions_that_they_name() -> None:
    inner = function("inner", ["v"], {"a": "r:contents:0"}, node("r", "ReadFile", ["v"]))
    branch = node("i", "If", ["v", "v"])
    branch.attr["then_branch"].func.name = "inner"
    cases = node("c", "Case", ["v"])
    cases.attr["branches"].list.func.add(name="inner")
    for calling in (call("c", "inner", ["v"]), branch, cases):
        outer = function("outer", ["v"], {"a": f"{calling.name}:output:0"}, calling)
        data = graph(placeholder("x"), call("y", "outer", ["x"]), functions=[inner, outer])
        with pytest.raises(UnsupportedModel, match=r"run by nothing here.*ReadFile \(node 'r'\)"):
            GraphDefFormat().lower(to_bytes(data), INSTALLED)


def test_functions_that_nothing_names_are_left_behind() -> None:
    used = function("used", ["v"], {"a": "s:y:0"}, node("s", "Lgamma", ["v"]))
    unused = function("unused", ["v"], {"a": "r:contents:0"}, node("r", "ReadFile", ["v"]))
    data = graph(placeholder("x"), call("y", "used", ["x"]), functions=[used, unused])
    form = decode_form(GraphDefFormat().lower(to_bytes(data), INSTALLED))
    kept = pb.GraphDef.FromString(form.graph).library.function
    assert [each.signature.name for each in kept] == ["used"]


def test_variables_are_kept_as_constants_that_are_assigned() -> None:
    files = scaled()
    saved = pb.SavedModel.FromString(files["saved_model.pb"])
    meta = saved.meta_graphs[0]
    meta.graph_def.node.append(node("g", "Lgamma", ["y"]))
    asked = signature({"x": info("x:0")}, {"scaled": info("g:0")})
    meta.signature_def["serving_default"].CopyFrom(asked)
    files["saved_model.pb"] = to_bytes(saved)
    form = decode_form(SavedModelFormat().lower(tarred(files), INSTALLED))
    assert form.initial == ("modelstream/w/assigned",)
    kept = {each.name: each for each in pb.GraphDef.FromString(form.graph).node}
    assert set(kept) == {"x", "w", "w/read", "y", "g", "modelstream/w/value", *form.initial}
    value = kept["modelstream/w/value"].attr["value"].tensor
    assert np.frombuffer(value.tensor_content, np.float32).tolist() == [2.0, 3.0]
    assert kept["modelstream/w/assigned"].op == "Assign"
    assert form.made_by == "TensorFlow 1.15.0"


def test_tables_are_filled_by_what_is_in_the_graph() -> None:
    table = node("t", "HashTableV2")
    filled = node("fill", "InitializeTableV2", ["t", "keys", "values"])
    find = node("y", "LookupTableFindV2", ["t", "x", "keys"])
    nodes = (placeholder("x", (-1,), STRING), table, constant("keys", [1.0]), filled, find)
    made = graph(*nodes, constant("values", [1.0]))
    asked = {"serving_default": signature({"x": info("x:0", (-1,), STRING)}, {"y": info("y:0")})}
    data = tarred({"saved_model.pb": saved_model(made, asked)})
    assert decode_form(SavedModelFormat().lower(data, INSTALLED)).initial == ("fill",)
    asked["__saved_model_init_op"] = signature({}, {"__saved_model_init_op": info("run")})
    made.node.append(node("run", "NoOp", ["^fill"]))
    data = tarred({"saved_model.pb": saved_model(made, asked)})
    assert decode_form(SavedModelFormat().lower(data, INSTALLED)).initial == ("run", "fill")


def test_a_graph_with_holes_is_refused() -> None:
    with pytest.raises(InvalidModel, match="has no node 'away'"):
        GraphDefFormat().lower(
            to_bytes(graph(placeholder("x"), node("y", "Lgamma", ["away"]))), INSTALLED
        )
    with pytest.raises(InvalidModel, match="the variable 'w' has no value here"):
        GraphDefFormat().lower(
            to_bytes(graph(node("w", "VariableV2"), node("y", "Lgamma", ["w"]))), INSTALLED
        )


@pytest.mark.skipif(bool(runtimes()), reason="TensorFlow is installed here")
def test_where_it_is_served_tensorflow_must_be_installed_too() -> None:
    lowered = GraphDefFormat().lower(hashing(), INSTALLED)
    with pytest.raises(InvalidModel, match=r"StringToHashBucketFast.*not installed here: pip"):
        GraphDefFormat().load(lowered)
    with pytest.raises(UnsupportedModel, match="or install TensorFlow"):
        load_model(hashing())


def test_a_form_that_is_damaged_is_refused() -> None:
    lowered = GraphDefFormat().lower(hashing(), INSTALLED)
    with pytest.raises(InvalidModel, match="not a lowered graph"):
        decode_form(lowered[:-3])


def test_the_list_has_no_operation_of_files_devices_or_chance() -> None:
    for part in ("File", "Save", "Restore", "Py", "Random", "Dataset", "Iterator", "Rpc", "Xla"):
        assert not [name for name in ALLOWED if part in name]
    assert FLOAT == 1
    assert len(ALLOWED) > 400
