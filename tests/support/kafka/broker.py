"""Apache Kafka from Maven Central as a child process: made, killed and started again by tests.

One node that is broker and controller (KRaft), bound to loopback. The jars are fetched once, into
`.components` beside the project's code.
"""

import base64
import shutil
import socket
import subprocess
import time
import uuid
from pathlib import Path
from typing import NamedTuple

_HERE = Path(__file__).parent
_JARS = _HERE.parents[2] / ".components" / "kafka"
# A node on a busy machine with two cores is up within 15 seconds.
_START_SECONDS = 90.0
_STOP_SECONDS = 30.0

_PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers=127.0.0.1:{controller}
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://127.0.0.1:{port},SASL_PLAINTEXT://127.0.0.1:{sasl_port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port},SASL_PLAINTEXT://127.0.0.1:{sasl_port}
inter.broker.listener.name=PLAINTEXT
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT
sasl.enabled.mechanisms=PLAIN
listener.name.sasl_plaintext.plain.sasl.jaas.config=\
  org.apache.kafka.common.security.plain.PlainLoginModule required user_me="secret";
log.dirs={data}
auto.create.topics.enable=false
num.network.threads=2
num.io.threads=2
num.recovery.threads.per.data.dir=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
group.consumer.min.heartbeat.interval.ms=500
group.consumer.heartbeat.interval.ms=500
offsets.topic.num.partitions=4
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.abort.timed.out.transaction.cleanup.interval.ms=1000
share.coordinator.state.topic.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
log.retention.check.interval.ms=1000
"""


class NoBroker(RuntimeError):
    """Kafka cannot be had on this machine; says why."""


class Running(NamedTuple):
    """A node that is up, whoever started it."""

    bootstrap: str

    @property
    def url(self) -> str:
        """The address of a log on it."""
        return f"kafka://{self.bootstrap}"


class KafkaBroker:
    """One node with a data directory of its own, which outlives `kill` and `start`.

    At `sasl_port` it wants the user "me" with the password "secret".
    """

    def __init__(self, directory: Path, extra: str = "") -> None:
        self._directory = directory
        self._jars = _jars()
        self.port, self.sasl_port, controller = _free_port(), _free_port(), _free_port()
        self.bootstrap = f"127.0.0.1:{self.port}"
        self._config = directory / "server.properties"
        self._config.write_text(
            _PROPERTIES.format(
                port=self.port,
                sasl_port=self.sasl_port,
                controller=controller,
                data=directory / "data",
            )
            + extra
        )
        # With a "-" in front it were an option.
        cluster = "C" + base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")[1:]
        self._java(
            "kafka.tools.StorageTool", "format", "--standalone", "-t", cluster, "-c", self._config
        ).wait(_START_SECONDS)
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        """Start the node and wait until it answers."""
        self._process = self._java("kafka.Kafka", self._config)
        give_up = time.monotonic() + _START_SECONDS
        while time.monotonic() < give_up:
            if self._process.poll() is not None:
                raise NoBroker(f"Kafka ended at its start:\n{self.output()[-3000:]}")
            try:
                socket.create_connection(("127.0.0.1", self.port), 0.3).close()
            except OSError:
                time.sleep(0.1)
            else:
                return
        self.kill()
        raise NoBroker(
            f"Kafka did not answer within {_START_SECONDS:g} s:\n{self.output()[-3000:]}"
        )

    def kill(self) -> None:
        """Take the node away as a power cut would: SIGKILL."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(_STOP_SECONDS)

    def stop(self) -> None:
        """End the node and forget its data."""
        self.kill()
        shutil.rmtree(self._directory / "data", ignore_errors=True)

    def output(self) -> str:
        """Return what the node wrote."""
        return (self._directory / "server.log").read_text(errors="replace")

    def _java(self, main: str, *arguments: str | Path) -> subprocess.Popen[bytes]:
        with (self._directory / "server.log").open("ab") as output:
            return subprocess.Popen(
                # The serial collector and the client compiler: a node for tests is up in half the
                # time and leaves the cores to what is tested.
                ["java", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
                 "-cp", f"{self._jars}/*", main, *arguments],
                cwd=self._directory, stdout=output, stderr=subprocess.STDOUT,
            )  # fmt: skip


def _jars() -> Path:
    """Return the folder with Kafka's jars; they are fetched when they are missing."""
    for program in ("java",) if _JARS.is_dir() else ("java", "mvn"):
        if shutil.which(program) is None:
            raise NoBroker(f"there is no {program!r} on this machine: install Java 17 and Maven")
    if _JARS.is_dir():
        return _JARS
    partial = _JARS.with_name(f"kafka.{uuid.uuid4().hex}")
    fetched = subprocess.run(
        ["mvn", "-q", "-B", "-f", _HERE / "pom.xml", "dependency:copy-dependencies",
         "-DincludeScope=runtime", f"-DoutputDirectory={partial}"],
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    if fetched.returncode:
        shutil.rmtree(partial, ignore_errors=True)
        raise NoBroker(f"Maven could not fetch Kafka:\n{fetched.stdout[-2000:]}")
    try:
        partial.rename(_JARS)
    except OSError:  # another process was faster
        shutil.rmtree(partial, ignore_errors=True)
    return _JARS


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port
