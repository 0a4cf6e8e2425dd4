"""What answers become on the log: headers where the flow wants them, rejects of large results."""

import json
from collections.abc import Sequence
from dataclasses import replace

import pytest

from modelstream.audit.verify import verify
from modelstream.engines.embedded import Embedded
from modelstream.flow import Flow
from modelstream.limits import RECORD_BYTES_MAX
from modelstream.log.base import TopicInfo
from modelstream.log.memory import MemoryLog
from modelstream.messages import Headers, Outgoing
from tests.support.artifacts import adder
from tests.support.flows import Rig, run_until

LARGE = {"x": 1.0, "text": "a" * (RECORD_BYTES_MAX - 100)}


class NarrowLog(MemoryLog):
    """A log whose topic of results takes less than others, as one that somebody else made."""

    def topics(self) -> dict[str, TopicInfo]:
        known = super().topics()
        made = known.get("wine.results")
        return known | ({made.name: replace(made, record_bytes_max=1000)} if made else {})


def _served(rig: Rig) -> None:
    engine: Embedded = rig.engine()
    run_until(engine, lambda: engine.reached(engine.ends()) and not engine.shell.machine.loading())
    engine.close()


def _rig(headers: str = "none", log: MemoryLog | None = None) -> Rig:
    rig = Rig(log or MemoryLog(), Flow(name="wine", headers=headers))  # type: ignore[arg-type]
    rig.serve(adder(1.0), "plus")
    return rig


def _headers(rig: Rig, topic: str) -> Sequence[Headers] | None:
    return rig.log.read(topic, 0, 0, 100, 1 << 24).headers


def test_without_the_option_there_are_no_headers() -> None:
    rig = _rig()
    rig.send({"x": 1.0}, b"?")
    _served(rig)
    assert _headers(rig, "wine.results") is None
    assert _headers(rig, "wine.rejects") is None


def test_headers_tell_which_model_answered_and_why_none_did() -> None:
    rig = _rig("model")
    rig.send({"x": 1.0}, b"?", {"x": 2.0})
    _served(rig)
    results, rejects = _headers(rig, "wine.results"), _headers(rig, "wine.rejects")
    assert results is not None
    assert rejects is not None
    first, second = map(dict, results)
    digest = rig.results()[0].model.digest.encode()
    assert first == second
    assert first == {
        "modelstream_model": b"plus",
        "modelstream_version": b"1",
        "modelstream_digest": digest,
        "modelstream_as_of": b"1",
        "modelstream_topic": b"wine.records",
        "modelstream_partition": b"0",
        "modelstream_data_type": b"wine",
    }
    assert dict(rejects[0])["modelstream_reason"] == b"not_json"


def test_results_are_cloud_events() -> None:
    rig = _rig("cloudevents")
    values = [b'{"x": 1.0}', b"?"]
    rig.log.append(Outgoing("wine.records", values, None, 0, [1_700_000_000_123] * 2))
    _served(rig)
    results, rejects = _headers(rig, "wine.results"), _headers(rig, "wine.rejects")
    assert results is not None
    assert rejects is not None
    assert dict(results[0]) == {
        "ce_specversion": b"1.0",
        "ce_type": b"modelstream.result",
        "ce_source": b"/modelstream/wine",
        "ce_id": b"wine.records/0/0",
        "ce_time": b"2023-11-14T22:13:20.123Z",
        "content-type": b"application/json",
    }
    assert dict(rejects[0])["ce_type"] == b"modelstream.reject"
    assert dict(rejects[0])["ce_id"] == b"wine.records/0/1"


@pytest.mark.parametrize("headers", ["none", "model", "cloudevents"])
def test_a_result_that_is_too_large_is_a_reject_of_its_record(headers: str) -> None:
    rig = _rig(headers)
    rig.send({"x": 1.0}, LARGE, {"x": 2.0}, b"?")
    _served(rig)
    assert [result.offset for result in rig.results()] == [0, 2]
    large, unreadable = rig.rejects()
    assert (large.reason, large.offset, large.as_of) == ("result_too_large", 1, 1)
    assert "set echo = false" in large.detail
    assert large.value_bytes == len(json.dumps(LARGE))
    assert (unreadable.reason, unreadable.offset) == ("not_json", 3)


def test_a_topic_that_takes_less_gets_less() -> None:
    rig = _rig(log=NarrowLog())
    rig.send({"x": 1.0}, {"x": 1.0, "text": "a" * 1000})
    _served(rig)
    assert [result.offset for result in rig.results()] == [0]
    assert [reject.reason for reject in rig.rejects()] == ["result_too_large"]


def test_keys_stay_with_their_records() -> None:
    rig = _rig()
    values = [b'{"x": 1.0}', json.dumps(LARGE).encode(), b'{"x": 2.0}']
    rig.log.append(Outgoing("wine.records", values, [b"a", b"b", b"c"], 0))
    _served(rig)
    assert rig.log.read("wine.results", 0, 0, 10, 1 << 24).keys == [b"a", b"c"]
    assert rig.log.read("wine.rejects", 0, 0, 10, 1 << 24).keys == [b"b"]


def test_an_audit_has_nothing_against_it() -> None:
    rig = _rig()
    rig.send({"x": 1.0}, LARGE)
    _served(rig)
    assert not verify(rig.log, rig.flow).findings
