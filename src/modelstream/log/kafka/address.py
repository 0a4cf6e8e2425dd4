"""Where a Kafka cluster is and how to speak to it, as a URL and a table of options say.

`kafka://host:port,host:port/?option=value`: options of librdkafka's go to every client as they
are (`security.protocol`, `sasl.username`, ...), a few are ours.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, cast
from urllib.parse import parse_qsl, urlencode, urlsplit

from modelstream.errors import LogError
from modelstream.limits import KAFKA_OPTIONS_MAX

Delivery = Literal["exactly_once", "at_least_once"]

_DELIVERIES = ("exactly_once", "at_least_once")
# What the log's own promises rest on: another value would break them in silence.
_FIXED = {
    "bootstrap.servers": "write the brokers into the address: kafka://host:port,host:port",
    "group.id": "the group is the flow's",
    "group.instance.id": "it is made from the flow's group and the instance's name",
    "partition.assignment.strategy": "partitions move one by one (cooperative-sticky)",
    "transactional.id": "it is made from the flow's group and the instance's name",
    "enable.auto.commit": "positions move with the results, in one transaction",
    "enable.auto.offset.store": "positions move with the results, in one transaction",
    "isolation.level": "only what was committed is read",
    "auto.offset.reset": "a new group begins at the first record",
    "enable.idempotence": "every record is written once",
    "enable.partition.eof": "the end of a partition is how a reader knows that it is there",
    "plugin.library.paths": "no code is loaded because an option says so",
    "ssl.engine.location": "no code is loaded because an option says so",
    "ssl.providers": "no code is loaded because an option says so",
}


@dataclass(frozen=True, slots=True)
class KafkaAddress:
    """A cluster and the options of its clients.

    `replication` is the number of copies of topics that are made here, None as the brokers say.
    `blobs` is the topic that keeps artifacts; `<blobs>.index` tells where they are in it.
    """

    bootstrap: str
    delivery: Delivery = "exactly_once"
    replication: int | None = None
    blobs: str = "modelstream.blobs"
    options: Mapping[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """The address with all options, passwords among them: for another process, not to show."""
        ours = {"delivery": self.delivery, "blobs": self.blobs}
        if self.replication is not None:
            ours["replication"] = str(self.replication)
        return f"kafka://{self.bootstrap}/?{urlencode({**ours, **self.options})}"


def kafka_address(url: str, options: Mapping[str, object] | None = None) -> KafkaAddress:
    """Read an address; `options` add to those of the URL and win. Raises LogError."""
    parts = urlsplit(url)
    if parts.scheme != "kafka" or not parts.netloc or parts.path.strip("/") or parts.fragment:
        raise LogError(f"{_shown(url)!r} names no cluster: write kafka://host:port,host:port")
    if "@" in parts.netloc:
        raise LogError(
            "a Kafka address holds no password: set sasl.username and sasl.password among the options"
        )
    told = dict(parse_qsl(parts.query, keep_blank_values=True))
    told |= {name: _text(name, value) for name, value in (options or {}).items()}
    if len(told) > KAFKA_OPTIONS_MAX:
        raise LogError(f"{len(told)} options for Kafka: give at most {KAFKA_OPTIONS_MAX}")
    for name in told.keys() & _FIXED.keys():
        raise LogError(f"the option {name!r} cannot be set: {_FIXED[name]}")
    delivery = told.pop("delivery", "exactly_once")
    if delivery not in _DELIVERIES:
        raise LogError(f"delivery is {delivery!r}; use one of {', '.join(map(repr, _DELIVERIES))}")
    return KafkaAddress(
        ",".join(_broker(each) for each in parts.netloc.split(",")),
        cast("Delivery", delivery),
        _replication(told.pop("replication", "")),
        told.pop("blobs", "modelstream.blobs"),
        told,
    )


def _broker(text: str) -> str:
    host, colon, port = text.rpartition(":")
    if not colon:
        return f"{text}:9092"
    if not host or not port.isdecimal():
        raise LogError(f"{text!r} is no broker: write host:port")
    return text


def _replication(text: str) -> int | None:
    if text and not (text.isdecimal() and 1 <= int(text) <= 100):
        raise LogError(f"replication is {text!r}; give the number of copies, 1 to 100")
    return int(text) if text else None


def _text(name: str, value: object) -> str:
    """Write an option as librdkafka reads it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str | int | float):
        raise LogError(f"the option {name!r} for Kafka is {value!r}: give text, a number, or true")
    return str(value)


def _shown(url: str) -> str:
    return url.partition("?")[0]
