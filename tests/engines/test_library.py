"""`join`: two iterables in one process."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Iterator
from itertools import count, islice
from pathlib import Path
from typing import Any

import pytest

from modelstream.engines.library import chunks, join
from modelstream.errors import InvalidFlow, UnknownModel
from modelstream.messages import Reject, Result
from modelstream.wire.descriptor import ModelDescriptor
from tests.support.artifacts import adder


def record(x: float) -> bytes:
    return json.dumps({"x": x}).encode()


def answers(outcomes: Any) -> list[float]:
    return [outcome.outputs["score"] for outcome in outcomes]


def test_every_record_is_answered_in_order() -> None:
    outcomes = list(join([record(x) for x in range(600)], [adder(1.0)]))
    assert answers(outcomes) == [x + 1.0 for x in range(600)]
    assert [outcome.offset for outcome in outcomes] == list(range(600))


def test_a_result_says_which_model_answered() -> None:
    (result,) = join([record(1)], [("plus", adder(1.0))])
    assert isinstance(result, Result)
    assert (result.model.name, result.model.version, result.model.as_of) == ("plus", "1", 1)
    assert bytes(result.record) == b'{"x": 1}'


def test_records_may_be_dicts() -> None:
    (result,) = join([{"x": 1, "id": "a"}], [adder(1.0)])
    assert isinstance(result, Result)
    assert result.outputs["score"] == 2.0
    assert result.record == {"x": 1, "id": "a"}


def test_a_bad_record_is_a_reject_in_its_place() -> None:
    first, second, third = join([record(1), b"?", record(3)], [adder(1.0)])
    assert isinstance(second, Reject)
    assert (second.reason, second.value) == ("not_json", b"?")
    assert answers([first, third]) == [2.0, 4.0]


def test_a_model_may_be_a_file(tmp_path: Path) -> None:
    path = tmp_path / "plus.onnx"
    path.write_bytes(adder(1.0))
    (result,) = join([record(1)], [path])
    assert isinstance(result, Result)
    assert result.model.name == "plus"


def test_of_a_list_of_models_the_last_answers() -> None:
    (result,) = join([record(1)], [("plus", adder(1.0)), ("plus", adder(5.0))])
    assert isinstance(result, Result)
    assert (result.model.version, result.outputs["score"]) == ("2", 6.0)


def test_each_data_type_has_its_model() -> None:
    models = [
        ModelDescriptor(name="one", data=adder(1.0), format="onnx", data_type="a"),
        ModelDescriptor(name="two", data=adder(2.0), format="onnx", data_type="b"),
    ]
    records = [b'{"x":0,"kind":"b"}', b'{"x":0,"kind":"a"}']
    assert answers(join(records, models, data_type_field="kind")) == [2.0, 1.0]


def test_a_model_that_arrives_takes_over_between_two_batches() -> None:
    arrived = threading.Event()

    def models() -> Iterator[tuple[str, bytes]]:
        yield "plus", adder(1.0)
        arrived.wait(10)
        yield "plus", adder(5.0)

    seen: list[float] = []
    for result in join((record(0) for _ in count()), models(), batch=1):
        seen.append(result.outputs["score"])  # type: ignore[union-attr]
        arrived.set()
        if seen[-1] == 5.0:
            break
    assert seen == sorted(seen), "never back to the old one"


def test_records_are_pulled_no_further_than_a_batch() -> None:
    pulled: list[int] = []

    def records() -> Iterator[bytes]:
        for number in count():
            pulled.append(number)
            yield record(number)

    running = iter(join(records(), [adder(1.0)], batch=4))
    assert len(list(islice(running, 6))) == 6
    assert len(pulled) == 8


def test_a_broken_model_leaves_the_good_one_serving() -> None:
    results = join([record(1)], [("good", adder(1.0)), ("bad", b"no model at all")])
    assert answers(results) == [2.0]


def test_without_any_model_the_reason_is_told() -> None:
    with pytest.raises(UnknownModel, match="came to an end"):
        list(join([record(1)], []))
    with pytest.raises(UnknownModel, match="cannot be told"):
        list(join([record(1)], [b"no model at all"]))


def test_a_model_without_bytes_is_refused() -> None:
    descriptor = ModelDescriptor(name="far", format="onnx", location="sha256:" + "0" * 64)
    with pytest.raises(UnknownModel, match="by value"):
        list(join([record(1)], [descriptor]))


def test_without_a_model_records_may_be_rejected() -> None:
    (reject,) = join([record(1)], [], on_no_model="reject")
    assert isinstance(reject, Reject)
    assert reject.reason == "no_model"


def test_a_wrong_option_is_told() -> None:
    with pytest.raises(InvalidFlow, match="batch_records"):
        join([], [], batch=0)


def test_figures_can_be_read_meanwhile() -> None:
    joined = join([record(1), record(2)], [("plus", adder(1.0))])
    assert len(list(joined)) == 2
    (stats,) = joined.machine.stats.values()
    assert stats.uses == 2


async def arriving(*items: Any) -> AsyncIterator[Any]:
    for item in items:
        await asyncio.sleep(0)
        yield item


async def collected(source: Any) -> list[Any]:
    return [each async for each in source]


def test_asynchronous_records_and_models() -> None:
    async def run() -> list[Any]:
        return await collected(join(arriving(record(1), record(2)), arriving(adder(1.0))))

    assert answers(asyncio.run(run())) == [2.0, 3.0]


def test_plain_records_and_models_in_an_asynchronous_loop() -> None:
    async def run() -> list[Any]:
        return await collected(join([record(1), record(2)], [adder(1.0)], batch=1))

    assert answers(asyncio.run(run())) == [2.0, 3.0]


def test_asynchronous_sources_need_an_asynchronous_loop() -> None:
    with pytest.raises(TypeError, match="async for"):
        next(iter(join(arriving(record(1)), [adder(1.0)])))


def test_a_chunk_is_what_is_there() -> None:
    async def run() -> list[list[int]]:
        queue: asyncio.Queue[int] = asyncio.Queue()
        for number in range(5):
            queue.put_nowait(number)

        async def records() -> AsyncIterator[int]:
            for _ in range(6):
                yield await queue.get()

        found = []
        async for chunk in chunks(records(), 3):
            found.append(chunk)
            if len(found) == 2:
                queue.put_nowait(5)
        return found

    assert asyncio.run(run()) == [[0, 1, 2], [3, 4], [5]]
