"""What can be wrong with a cluster, or with what is on it, is told with what to do next."""

import uuid
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic

from modelstream.cli.main import main
from modelstream.errors import LogError, LogUnavailable, UnknownTopic
from modelstream.flow import Flow
from modelstream.log import open_log
from modelstream.log.base import Log
from tests.conftest import missing
from tests.support.artifacts import adder
from tests.support.flows import Rig, run_until
from tests.support.kafka.broker import KafkaBroker, NoBroker, Running
from tests.support.waiting import eventually

NOBODY = "127.0.0.1:1"
PASSWORD = {"security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "PLAIN", "sasl.username": "me"}


@pytest.fixture
def rig(kafka_broker: Running) -> Iterator[Rig]:
    """A flow of its own on the shared broker."""
    with closing(open_log(kafka_broker.url)) as log:
        yield Rig(log, Flow(name=f"clear-{uuid.uuid4().hex[:8]}"))


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaBroker]:
    """A broker that asks for a password at one of its ports."""
    try:
        broker = KafkaBroker(tmp_path_factory.mktemp("guarded"))
    except NoBroker as error:
        missing(str(error))
    yield broker
    broker.stop()


def _open(port: int, **options: str) -> Log:
    return open_log(f"kafka://127.0.0.1:{port}", options=options)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        (f"kafka://{NOBODY}/?group.id=x", "option 'group.id' cannot be set: the group is"),
        (f"kafka://{NOBODY}/?no.such.thing=1", 'No such configuration property: "no.such.thing"'),
        (f"kafka://{NOBODY}/?security.protocol=x", 'Invalid value "x" .* "security.protocol"'),
    ],
)
def test_an_option_that_cannot_be_is_named(url: str, message: str) -> None:
    with pytest.raises(LogError, match=message):
        open_log(url)


def test_a_cluster_that_is_not_there_is_told_with_its_address_and_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with pytest.raises(
        LogUnavailable, match=rf"cannot reach Kafka at {NOBODY}: .*is Kafka running"
    ):
        open_log(f"kafka://{NOBODY}")
    assert not caplog.records, "the error says it all"


def test_a_verb_that_only_looks_fails_at_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flow = tmp_path / "flow.toml"
    flow.write_text(f'name = "wine"\nlog = "kafka://{NOBODY}"\n')
    assert main(["stats", str(flow)]) == 2
    assert f"modelstream: cannot reach Kafka at {NOBODY}" in capsys.readouterr().err


@pytest.mark.kafka
def test_a_password_is_checked(guarded: KafkaBroker) -> None:
    with closing(_open(guarded.sasl_port, **PASSWORD | {"sasl.password": "secret"})) as log:
        assert log.topics() == {}
    with pytest.raises(LogError, match=r"Invalid username or password.*check sasl\.mech") as caught:
        _open(guarded.sasl_port, **PASSWORD | {"sasl.password": "guessed"})
    assert not isinstance(caught.value, LogUnavailable), "no waiting mends it"
    assert "guessed" not in str(caught.value)


@pytest.mark.kafka
@pytest.mark.parametrize("protocol", ["SSL", "SASL_PLAINTEXT"])
def test_a_port_that_speaks_another_protocol_is_told(guarded: KafkaBroker, protocol: str) -> None:
    options = PASSWORD | {"sasl.password": "secret", "security.protocol": protocol}
    with pytest.raises(LogError, match=r"PLAINTEXT broker listener|SASL PLAIN mechanism handshake"):
        _open(guarded.port, **options)


@pytest.mark.kafka
def test_records_that_are_no_json_are_rejects_on_kafka(rig: Rig) -> None:
    rig.serve(adder(1.0), "plus")
    rig.send({"x": 1.0}, b"\xff\x00poison", b"", {"x": 2.0}, b"[" * 100_000, {"y": 1})
    engine = rig.engine()
    run_until(engine, lambda: engine.reached(engine.ends()) and not engine.shell.machine.loading())
    engine.close()
    assert [result.offset for result in rig.results()] == [0, 3]
    rejects = [(reject.offset, reject.reason) for reject in rig.rejects()]
    assert rejects == [(1, "not_json"), (2, "not_json"), (4, "not_json"), (5, "missing_field")]


@pytest.mark.kafka
def test_a_topic_of_records_that_goes_away_is_named(kafka_broker: Running) -> None:
    quick = {"topic.metadata.refresh.interval.ms": 500}
    with closing(open_log(kafka_broker.url, options=quick)) as log:
        rig = Rig(log, Flow(name=f"gone-{uuid.uuid4().hex[:8]}"))
        _lose_records(rig, kafka_broker)


def _lose_records(rig: Rig, kafka_broker: Running) -> None:
    rig.serve(adder(1.0), "plus")
    rig.send({"x": 1.0})
    engine = rig.engine()
    run_until(engine, lambda: engine.reached(engine.ends()) and not engine.shell.machine.loading())
    (topic,) = rig.flow.record_topics
    admin = AdminClient({"bootstrap.servers": kafka_broker.bootstrap})
    admin.delete_topics([topic])[topic].result(10)

    def stepped() -> bool:
        engine.step()
        return False

    with pytest.raises(UnknownTopic, match=f"{topic}.*not there"):
        eventually(stepped)
    engine.close()


@pytest.mark.kafka
def test_results_that_a_topic_does_not_take_are_rejects(kafka_broker: Running) -> None:
    flow = Flow(name=f"narrow-{uuid.uuid4().hex[:8]}")
    admin = AdminClient({"bootstrap.servers": kafka_broker.bootstrap})
    narrow = NewTopic(flow.results, 1, 1, config={"max.message.bytes": "2000"})
    admin.create_topics([narrow])[flow.results].result(10)
    with closing(open_log(kafka_broker.url)) as log:
        rig = Rig(log, flow)
        rig.serve(adder(1.0), "plus")
        texts = ["a" * size for size in (10, 1300, 1500, 3000)]
        rig.send(*({"x": 1.0, "text": text} for text in texts))
        engine = rig.engine()
        run_until(
            engine, lambda: engine.reached(engine.ends()) and not engine.shell.machine.loading()
        )
        engine.close()
        answered = [result.offset for result in rig.results()]
        rejected = [reject.offset for reject in rig.rejects()]
        assert answered + rejected == [0, 1, 2, 3]
        assert 0 in answered
        assert 3 in rejected
        assert {reject.reason for reject in rig.rejects()} == {"result_too_large"}


@pytest.mark.kafka
def test_a_registry_that_forgets_is_refused_with_what_to_set(kafka_broker: Running) -> None:
    flow = Flow(name=f"forgets-{uuid.uuid4().hex[:8]}")
    admin = AdminClient({"bootstrap.servers": kafka_broker.bootstrap})
    admin.create_topics([NewTopic(flow.registry, 1, 1)])[flow.registry].result(10)
    resource = ConfigResource(ConfigResource.Type.TOPIC, flow.registry)
    assert admin.describe_configs([resource])[resource].result(10)["retention.ms"].value != "-1"
    with (
        closing(open_log(kafka_broker.url)) as log,
        pytest.raises(LogError, match=rf"{flow.registry}.*retention\.ms=-1"),
    ):
        Rig(log, flow)
