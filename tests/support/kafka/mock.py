"""librdkafka's own mock cluster, by the symbols of the library inside the client's wheel.

It speaks the protocol and fails on demand. It keeps no transactions apart: what is aborted stays
visible, and positions that were sent with a transaction are not kept.
"""

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from pathlib import Path

import confluent_kafka

# The first join of a group waits so long for others.
_REBALANCE_DELAY_MS = 50
_ERROR_BYTES = 512
_NEEDED = (
    "rd_kafka_new",
    "rd_kafka_destroy",
    "rd_kafka_conf_new",
    "rd_kafka_conf_set",
    "rd_kafka_mock_cluster_new",
    "rd_kafka_mock_cluster_destroy",
    "rd_kafka_mock_cluster_bootstraps",
    "rd_kafka_mock_topic_create",
    "rd_kafka_mock_push_request_errors_array",
    "rd_kafka_mock_broker_set_down",
    "rd_kafka_mock_broker_set_up",
    "rd_kafka_mock_broker_set_rtt",
    "rd_kafka_mock_group_initial_rebalance_delay_ms",
)


class Api(IntEnum):
    """Requests by their key in the protocol."""

    PRODUCE = 0
    HEARTBEAT = 12
    INIT_PRODUCER_ID = 22
    ADD_PARTITIONS_TO_TXN = 24
    ADD_OFFSETS_TO_TXN = 25
    END_TXN = 26
    TXN_OFFSET_COMMIT = 28


class NoMock(RuntimeError):
    """This client's library has no mock cluster; says why."""


class MockCluster:
    """A cluster in this process; brokers are numbered from 1."""

    def __init__(self, library: ctypes.CDLL, brokers: int) -> None:
        self._library, self._brokers = library, brokers
        conf = library.rd_kafka_conf_new()
        error = ctypes.create_string_buffer(_ERROR_BYTES)
        # The client that carries the cluster has no brokers of its own, and would say so.
        library.rd_kafka_conf_set(conf, b"log_level", b"2", error, _ERROR_BYTES)
        self._client = library.rd_kafka_new(0, conf, error, _ERROR_BYTES)
        if not self._client:
            raise NoMock(error.value.decode())
        self._cluster = library.rd_kafka_mock_cluster_new(self._client, brokers)
        library.rd_kafka_mock_group_initial_rebalance_delay_ms(self._cluster, _REBALANCE_DELAY_MS)
        told: bytes = library.rd_kafka_mock_cluster_bootstraps(self._cluster)
        self.bootstrap = told.decode()

    def create_topic(self, name: str, partitions: int) -> None:
        """Make a topic whose partitions are spread over the brokers."""
        failed = self._library.rd_kafka_mock_topic_create(
            self._cluster, name.encode(), partitions, 1
        )
        assert not failed, f"the mock cluster made no topic {name!r}: error {failed}"

    def fail(self, api: Api, *errors: int) -> None:
        """Answer the next requests of a kind with these errors, one each."""
        codes = (ctypes.c_int * len(errors))(*errors)
        self._library.rd_kafka_mock_push_request_errors_array(
            self._cluster, api, len(errors), codes
        )

    def set_round_trip(self, ms: int) -> None:
        """Let every answer take so long."""
        for broker in range(1, self._brokers + 1):
            self._library.rd_kafka_mock_broker_set_rtt(self._cluster, broker, ms)

    def set_down(self, broker: int) -> None:
        """Close a broker's connections and take no others."""
        self._library.rd_kafka_mock_broker_set_down(self._cluster, broker)

    def set_up(self, broker: int) -> None:
        """Let a broker answer again."""
        self._library.rd_kafka_mock_broker_set_up(self._cluster, broker)

    def destroy(self) -> None:
        """End the cluster."""
        self._library.rd_kafka_mock_cluster_destroy(self._cluster)
        self._library.rd_kafka_destroy(self._client)


@contextmanager
def mock_cluster(brokers: int) -> Iterator[MockCluster]:
    """Run a mock cluster. Raises NoMock."""
    cluster = MockCluster(_library(), brokers)
    try:
        yield cluster
    finally:
        cluster.destroy()


def _library() -> ctypes.CDLL:
    """Load the library that the client itself uses, and say how its functions are called."""
    beside = Path(confluent_kafka.__file__).parents[1] / "confluent_kafka.libs"
    found = sorted(beside.glob("librdkafka*.so*"))
    if not found:
        raise NoMock(f"the client brings no librdkafka in {beside}")
    library = ctypes.CDLL(str(found[0]))
    missing = [name for name in _NEEDED if not hasattr(library, name)]
    if missing:
        raise NoMock(f"{found[0].name} has no {', '.join(missing)}")
    pointer, text, number = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int
    for name in ("new", "conf_new", "mock_cluster_new"):
        getattr(library, f"rd_kafka_{name}").restype = pointer
    library.rd_kafka_mock_cluster_bootstraps.restype = text
    library.rd_kafka_new.argtypes = [number, pointer, text, ctypes.c_size_t]
    library.rd_kafka_conf_set.argtypes = [pointer, text, text, text, ctypes.c_size_t]
    library.rd_kafka_mock_cluster_new.argtypes = [pointer, number]
    library.rd_kafka_mock_topic_create.argtypes = [pointer, text, number, number]
    library.rd_kafka_mock_push_request_errors_array.argtypes = [
        pointer,
        ctypes.c_int16,
        ctypes.c_size_t,
        ctypes.POINTER(number),
    ]
    library.rd_kafka_mock_broker_set_rtt.argtypes = [pointer, ctypes.c_int32, number]
    for name in ("broker_set_down", "broker_set_up", "group_initial_rebalance_delay_ms"):
        getattr(library, f"rd_kafka_mock_{name}").argtypes = [pointer, ctypes.c_int32]
    for name in ("destroy", "mock_cluster_destroy", "mock_cluster_bootstraps"):
        getattr(library, f"rd_kafka_{name}").argtypes = [pointer]
    return library
