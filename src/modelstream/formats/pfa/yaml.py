"""PFA documents in YAML, read with PyYAML where it is installed; only what JSON has is read."""

from importlib import import_module
from typing import Any

from modelstream.errors import InvalidModel
from modelstream.limits import RECORD_DEPTH_MAX


def read_yaml(data: bytes) -> Any:
    """Return the plain data of a YAML document. Raises InvalidModel.

    Anchors and tags are refused: an alias of an alias makes gigabytes of a line.
    """
    try:
        yaml = import_module("yaml")
    except ImportError:
        raise InvalidModel(
            "this is no JSON, and a PFA document in YAML needs PyYAML: install it, or write the "
            "document as JSON"
        ) from None
    try:
        _check_events(yaml, data)
        return yaml.load(data, Loader=yaml.SafeLoader)  # the safe loader makes no objects
    except yaml.YAMLError as error:
        raise InvalidModel(f"the YAML cannot be read: {error}") from error


def _check_events(yaml: Any, data: bytes) -> None:
    depth = 0
    for event in yaml.parse(data, Loader=yaml.SafeLoader):
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
            raise InvalidModel(f"an alias or anchor in the YAML ({event.start_mark}) is not read")
        if getattr(event, "tag", None) is not None:
            raise InvalidModel(f"a tag in the YAML ({event.start_mark}) is not read")
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > RECORD_DEPTH_MAX:
            raise InvalidModel("the YAML is nested too deeply")
