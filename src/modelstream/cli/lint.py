"""What is wrong with a flow.toml, or looks so: each finding with its place and its fix.

The declaration comes first; where it can be read, the log it names is looked at too, and nothing
is made there.
"""

import tomllib
from collections.abc import Container, Iterator
from pathlib import Path
from typing import NamedTuple

from modelstream.cli.importing import find_modules_here
from modelstream.errors import InvalidFlow
from modelstream.flow import Flow, key_line, load_flow
from modelstream.formats.functions import import_functions
from modelstream.log import open_log
from modelstream.wire.reading import record_reader


class Finding(NamedTuple):
    """What is wrong, where (`flow.toml:3`), and what to do."""

    where: str
    what: str


def findings(path: Path) -> list[Finding]:
    """Check a flow.toml and the topics that it names. Raises LogError when a log is unreadable."""
    try:
        flow = load_flow(path)
    except InvalidFlow as error:
        where, _, what = str(error).partition(": ")
        return [Finding(where, what)]
    text = path.read_text(encoding="utf-8")
    told = [*_of_declaration(flow), *_of_log(flow, tomllib.loads(text))]
    return [Finding(key_line(str(path), text, key), what) for key, what in told]


def _of_declaration(flow: Flow) -> Iterator[tuple[str, str]]:
    """Yield a key and what is wrong with it, from the declaration alone."""
    by_table = not isinstance(flow.records, str)
    if flow.log == "memory:":
        yield "log", "a memory: log is gone with its process; use file:DIRECTORY"
    if flow.data_type_field and by_table:
        unused = "its data types are not used, because data_type_field tells each record's"
        yield "records", f"{unused}; leave one of the two out"
    elif flow.data_type != flow.name and (flow.data_type_field or by_table):
        by = "data_type_field" if flow.data_type_field else "the table of records"
        yield "data_type", f"it is not used, because {by} tells the data types; leave it out"
    yield from _of_imports(flow)
    for location in flow.locations:
        directory = Path(location.removeprefix("file:"))
        if not location.startswith("file:"):
            yield "locations", f"{location!r} allows nothing; write file:/DIRECTORY"
        elif not directory.is_absolute():
            hangs = "hangs on where the server is started"
            yield "locations", f"{location!r} {hangs}; write file:/DIRECTORY"
        elif not directory.is_dir():
            gone = f"there is no directory {str(directory)!r}"
            yield "locations", f"{gone}; make it, or leave it out"


def _of_imports(flow: Flow) -> Iterator[tuple[str, str]]:
    """Yield a key and what is wrong with the schemas and functions that it names."""
    try:
        record_reader(flow.schemas)
    except InvalidFlow as error:
        yield "schemas", str(error)
    if flow.functions:
        find_modules_here()
    try:
        import_functions(flow.functions)
    except InvalidFlow as error:
        yield "functions", str(error)


def _of_log(flow: Flow, declared: Container[str]) -> Iterator[tuple[str, str]]:
    """Yield a key and what is wrong with the topics of a log that is there."""
    if not flow.log.startswith("file:") or not Path(flow.log[5:]).is_dir():
        return
    log = open_log(flow.log)
    try:
        known = log.topics()
    finally:
        log.close()
    made = [known[topic] for topic in flow.record_topics if topic in known]
    for topic in made:
        if "partitions" in declared and topic.partitions != flow.partitions:
            made_so = f"topic {topic.name!r} was made with {topic.partitions} and stays so"
            yield "partitions", f"{made_so}; write {topic.partitions}, or use another topic"
    widest = max((topic.partitions for topic in made), default=flow.partitions)
    for key, name in (("results", flow.results), ("rejects", flow.rejects)):
        if name in known and known[name].partitions < widest:
            short = f"topic {name!r} has {known[name].partitions} partitions, the records {widest}"
            yield key, f"{short}: some outcomes have no place; use another topic"
