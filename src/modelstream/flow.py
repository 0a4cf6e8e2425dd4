"""Flow: the declared job. Which records, which models, how an answer is found, where it goes.

Reads and checks `flow.toml`; knows nothing of logs, models or engines.
"""

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

from modelstream.core.policies.base import Policy, speculates
from modelstream.core.policies.single import Latest
from modelstream.core.policies.text import parse_policy, policy_text
from modelstream.errors import InvalidFlow
from modelstream.flow_keys import check_type, nearest
from modelstream.formats.base import DEVICES, Device, Functions, Remote
from modelstream.formats.functions import check_functions
from modelstream.limits import (
    BATCH_RECORDS_MAX,
    PARTITIONS_MAX,
    REMOTE_HOSTS_MAX,
    REMOTE_TIMEOUT_MS_MAX,
    TOPIC_NAME_CHARS_MAX,
)
from modelstream.monitoring import Monitoring, monitoring_of
from modelstream.schemas import Bind, Schemas, anchored, bind_of, schemas_of

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_HOST = re.compile(r"([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]):[0-9]{1,5}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """One declared job.

    `records` is one topic, or topics with the data type of their records. `data_type_field` is the
    dotted path of a field that names each record's data type instead. Topics that are not given
    are called `<name>.models`, `.registry`, `.results` and `.rejects`. `remote` names the servers
    that models may be asked at. `kafka` are options of
    Kafka's clients, `flink` of a job there. `schemas` says how records and results are written, `bind` what
    records call a model's inputs, `functions` which functions pipelines may call, as names to
    `module:function`, `monitor` how versions are watched. Raises InvalidFlow.
    """

    name: str
    records: str | Mapping[str, str] = ""
    data_type: str = ""
    data_type_field: str = ""
    models: str = ""
    registry: str = ""
    results: str = ""
    rejects: str = ""
    answer: Policy = field(default_factory=Latest)
    on_no_model: Literal["hold", "reject"] = "hold"
    on_missing_answer: Literal["reject", "null"] = "reject"
    headers: Literal["none", "model", "cloudevents"] = "none"
    echo: bool = True
    rehearse: bool = True
    partitions: int = 1
    partition_by: Literal["key", "data_type"] = "key"
    batch_records: int = BATCH_RECORDS_MAX
    locations: tuple[str, ...] = ()
    remote: Remote = field(default_factory=Remote)
    descriptor_dialect: Literal["canonical", "pmml1"] = "canonical"
    log: str = ""
    durability: Literal["process", "power"] = "process"
    kafka: Mapping[str, str | int | float | bool] = field(default_factory=dict)
    flink: Mapping[str, str | int | float | bool] = field(default_factory=dict)
    device: Device = "cpu"
    isolation: Literal["auto", "thread", "process"] = "auto"
    schemas: Schemas = field(default_factory=Schemas)
    bind: Bind = field(default_factory=dict)
    functions: Functions = field(default_factory=dict)
    labels: str = ""
    monitor: Monitoring = field(default_factory=Monitoring)

    def __post_init__(self) -> None:
        """Fill in the topics' names and check every value."""
        _check_name("name", self.name)
        defaults = {
            "records": f"{self.name}.records",
            "data_type": self.name,
            "models": f"{self.name}.models",
            "registry": f"{self.name}.registry",
            "results": f"{self.name}.results",
            "rejects": f"{self.name}.rejects",
        }
        for key, value in defaults.items():
            if not getattr(self, key):
                object.__setattr__(self, key, value)
        _check_values(self)
        objection = self.objection_to(self.answer)
        if objection:
            raise InvalidFlow(f"answer {objection}")

    @property
    def record_topics(self) -> dict[str, str]:
        """The record topics, each with the data type of its records."""
        if isinstance(self.records, str):
            return {self.records: self.data_type}
        return dict(self.records)

    @property
    def group(self) -> str:
        """The consumer group of the instances that answer the records."""
        return f"{self.name}.join"

    def objection_to(self, policy: Policy) -> str:
        """Tell why answers cannot be found by a policy in this flow; empty where they can."""
        if speculates(policy) and self.schemas.results != "json":
            return (
                "weighs several candidates, and results tell what each said; that is JSON alone: "
                "leave results out of [schemas]"
            )
        return ""

    def data_type_given(self, data_type: str) -> str:
        """Return the data type a publisher means; with one alone it may be left out.

        Raises InvalidFlow when it is left out and the flow has several.
        """
        known = sorted(set(self.record_topics.values()))
        if data_type:
            return data_type
        if self.data_type_field or len(known) > 1:
            raise InvalidFlow(
                f"flow {self.name!r} has several data types; say which one the model is for "
                f"(data_type=..., --data-type)"
            )
        return known[0]


def load_flow(path: str | Path) -> Flow:
    """Read a flow from a TOML file. Raises InvalidFlow with the line and the fix.

    A relative `log = "file:..."` is relative to the file's own directory.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidFlow(
            f"cannot read the flow {path}: {error}; give the path of a flow.toml"
        ) from error
    return parse_flow(text, str(path), path.parent)


def parse_flow(text: str, source: str = "flow.toml", directory: Path | None = None) -> Flow:
    """Read a flow from TOML text. Raises InvalidFlow with the line and the fix."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InvalidFlow(f"{source}: not valid TOML: {error}") from error
    known = {each.name: each for each in fields(Flow)}
    for key, value in document.items():
        if key not in known:
            raise InvalidFlow(
                f"{key_line(source, text, key)}: unknown key {key!r}{nearest(key, known)}"
            )
        check_type(f"{key_line(source, text, key)}: {key}", value, key)
    if "name" not in document:
        raise InvalidFlow(f'{source}: the flow has no name; add the line: name = "wine"')
    values: dict[str, Any] = dict(document)
    for key, read in _READERS.items():
        if key in values:
            values[key] = _placed(read, values[key], key_line(source, text, key))
    if directory is not None:
        values["log"] = _anchored(values.get("log", "file:./data"), directory)
        values["schemas"] = anchored(values.get("schemas", Schemas()), directory)
    try:
        return Flow(**values)
    except InvalidFlow as error:
        key = str(error).split(" ", 1)[0]
        raise InvalidFlow(f"{key_line(source, text, key)}: {error}") from error


def plain_flow(flow: Flow) -> dict[str, Any]:
    """Return a flow as plain data, for another process."""
    plain = {each.name: getattr(flow, each.name) for each in fields(Flow)}
    return plain | {
        "answer": policy_text(flow.answer),
        "locations": list(flow.locations),
        "remote": asdict(flow.remote),
        "kafka": dict(flow.kafka),
        "flink": dict(flow.flink),
        "schemas": asdict(flow.schemas),
        "monitor": asdict(flow.monitor),
        "bind": dict(flow.bind),
        "functions": dict(flow.functions),
    }


def flow_of_plain(plain: Mapping[str, Any]) -> Flow:
    """Return the flow that `plain_flow` told of."""
    values = dict(plain) | {key: read(plain[key]) for key, read in _READERS.items()}
    return Flow(**values)


def _remote(table: Mapping[str, Any]) -> Remote:
    return Remote(**(dict(table) | {"hosts": tuple(table.get("hosts", ()))}))


# How what TOML holds becomes what a Flow holds, where the two differ.
_READERS: Mapping[str, Callable[[Any], Any]] = {
    "answer": parse_policy,
    "locations": tuple,
    "remote": _remote,
    "schemas": schemas_of,
    "bind": bind_of,
    "monitor": monitoring_of,
}


def _placed(read: Callable[[Any], Any], value: object, where: str) -> Any:
    """Read a value; what is wrong with it is told with its place."""
    try:
        return read(value)
    except InvalidFlow as error:
        raise InvalidFlow(f"{where}: {error}") from error


_CHOICES: Mapping[str, tuple[str, ...]] = {
    "on_no_model": ("hold", "reject"),
    "on_missing_answer": ("reject", "null"),
    "headers": ("none", "model", "cloudevents"),
    "durability": ("process", "power"),
    "device": DEVICES,
    "partition_by": ("key", "data_type"),
    "isolation": ("auto", "thread", "process"),
    "descriptor_dialect": ("canonical", "pmml1"),
}


def _check_values(flow: Flow) -> None:
    """Check what a type cannot say; every message begins with the key."""
    for key in ("models", "registry", "results", "rejects", *flow.record_topics):
        _check_name(key, getattr(flow, key, key))
    own = [flow.models, flow.registry, flow.results, flow.rejects, *flow.record_topics]
    if flow.labels:
        _check_name("labels", flow.labels)
        own.append(flow.labels)
    for topic in own:
        if own.count(topic) > 1:
            raise InvalidFlow(
                f"records and the flow's other topics must differ: {topic!r} is used twice"
            )
    if not flow.record_topics:
        raise InvalidFlow("records names no topic; give at least one")
    for key, choices in _CHOICES.items():
        value = getattr(flow, key)
        if value not in choices:
            raise InvalidFlow(f"{key} is {value!r}; use one of {', '.join(map(repr, choices))}")
    if not 1 <= flow.partitions <= PARTITIONS_MAX:
        raise InvalidFlow(f"partitions is {flow.partitions}; use 1 to {PARTITIONS_MAX}")
    if not 1 <= flow.batch_records <= BATCH_RECORDS_MAX:
        raise InvalidFlow(f"batch_records is {flow.batch_records}; use 1 to {BATCH_RECORDS_MAX}")
    _check_remote(flow.remote)
    check_functions(flow.functions)


def _check_remote(remote: Remote) -> None:
    wrong = [each for each in remote.hosts if not _HOST.fullmatch(each)]
    if wrong:
        raise InvalidFlow(
            f'remote.hosts has {wrong[0]!r}; each is a name or address and a port: "models:8080"'
        )
    if len(remote.hosts) > REMOTE_HOSTS_MAX:
        raise InvalidFlow(f"remote.hosts names {len(remote.hosts)}; at most {REMOTE_HOSTS_MAX}")
    if not 1 <= remote.timeout_ms <= REMOTE_TIMEOUT_MS_MAX:
        raise InvalidFlow(
            f"remote.timeout_ms is {remote.timeout_ms}; use 1 to {REMOTE_TIMEOUT_MS_MAX}"
        )


def _check_name(key: str, value: str) -> None:
    if not _NAME.fullmatch(value) or len(value) > TOPIC_NAME_CHARS_MAX:
        raise InvalidFlow(
            f"{key} {value!r} is no topic name; use letters, digits, '.', '_' and '-', "
            f"at most {TOPIC_NAME_CHARS_MAX} characters"
        )


def key_line(source: str, text: str, key: str) -> str:
    """Return `source:line` of a key, as far as a search of the lines can tell."""
    pattern = re.compile(rf"""\s*(\[\s*)?["']?{re.escape(key)}["']?\s*(=|\])""")
    for number, line in enumerate(text.splitlines(), start=1):
        if pattern.match(line):
            return f"{source}:{number}"
    return source


def _anchored(url: str, directory: Path) -> str:
    """Make a relative `file:` address relative to the flow's own directory."""
    if url.startswith("file:") and not Path(url[5:]).is_absolute():
        return f"file:{directory / url[5:]}"
    return url
