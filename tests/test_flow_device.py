"""The device of a flow: chosen, checked, and refused before anything is served."""

import pytest

import modelstream as ms
from modelstream.errors import InvalidFlow
from modelstream.flow import Flow, flow_of_plain, parse_flow, plain_flow
from modelstream.log.memory import MemoryLog

HEAD = 'name = "wine"\n'


def test_graphs_run_on_the_cpu_unless_a_flow_says_otherwise() -> None:
    assert parse_flow(HEAD).device == "cpu"
    flow = parse_flow(HEAD + 'device = "cuda"\n')
    assert flow.device == "cuda"
    assert flow_of_plain(plain_flow(flow)) == flow


def test_a_device_that_is_none_is_refused_with_its_line() -> None:
    with pytest.raises(
        InvalidFlow, match=r"flow.toml:2: device is 'gpu'; use one of 'cpu', 'cuda'"
    ):
        parse_flow(HEAD + 'device = "gpu"\n')


def test_without_that_device_nothing_is_served() -> None:
    told = r"device is 'cuda', and ONNX Runtime has no CUDAExecutionProvider here .*onnxruntime-gpu"
    with pytest.raises(InvalidFlow, match=told):
        ms.serve(Flow(name="wine", device="cuda"), MemoryLog(), once=True)
    with pytest.raises(InvalidFlow, match=told):
        ms.join([{"x": 1}], [], device="cuda")
