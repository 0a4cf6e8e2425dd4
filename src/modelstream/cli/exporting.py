"""The verb `export`: an estimator of the user's own module to a file that can be published.

The module is the user's own code, imported as Python would; nothing else is run, nor unpickled.
"""

from argparse import Namespace
from collections.abc import Iterator, Sequence
from importlib import import_module
from itertools import chain, islice
from typing import Any

import msgspec
import numpy as np

from modelstream import exporting
from modelstream.cli.importing import find_modules_here
from modelstream.cli.sending import read_file
from modelstream.cli.show import print_line
from modelstream.cli.text import counted, size
from modelstream.errors import InvalidModel, InvalidRecord
from modelstream.exporting import Exported, feature_names
from modelstream.limits import EXPORT_ROWS_SHOWN_MAX, EXPORT_SAMPLE_RECORDS_MAX
from modelstream.messages import Column


def export(arguments: Namespace) -> int:
    """Convert an estimator, compare both on a file of records, and write it."""
    estimator = _estimator(*arguments.estimator)
    features = feature_names(estimator, None, arguments.features)
    done = exporting.export(
        estimator,
        arguments.out,
        sample=_table(arguments, features),
        features=features,
        tolerance=arguments.tolerance,
    )
    for line in _lines(done):
        print_line(line)
    return 0


def _estimator(module: str, name: str) -> Any:
    """Import the user's module; a function in it is called. Raises InvalidModel."""
    find_modules_here()
    try:
        found = getattr(import_module(module), name)
        is_estimator = hasattr(found, "predict") or hasattr(found, "transform")
        return found if is_estimator else found()
    except Exception as error:
        raise InvalidModel(
            f"{module}:{name} gives no estimator: {type(error).__name__}: {error}"
        ) from error


def _table(arguments: Namespace, features: Sequence[str]) -> Column:
    """Read records into an array, (rows, features), as training code has it. Raises InvalidRecord."""
    rows = list(islice(_rows(arguments, features), EXPORT_SAMPLE_RECORDS_MAX))
    for at, name in enumerate(features):
        if all(row[at] is None for row in rows):
            raise InvalidRecord(f"no record of {arguments.file} has a value in {name!r}")
    if any(isinstance(value, str) for value in chain.from_iterable(rows)):
        return np.array(rows, dtype=object)
    try:
        return np.array(rows, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InvalidRecord(
            f"{arguments.file} holds more than numbers and texts: {error}"
        ) from error


def _rows(arguments: Namespace, features: Sequence[str]) -> Iterator[list[Any]]:
    decode = msgspec.json.Decoder(dict[str, Any]).decode
    for chunk in read_file(arguments):
        for line, reason in chunk.faults:
            raise InvalidRecord(f"{arguments.file}:{line}: {reason}")
        for line, value in zip(chunk.lines, chunk.values, strict=True):
            try:
                record = decode(value)
            except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
                raise InvalidRecord(f"{arguments.file}:{line}: {error}") from error
            yield [record.get(name) for name in features]


def _lines(done: Exported) -> list[str]:
    """Tell what was written, and how far it is from the estimator."""
    told = done.comparison
    lines = [
        f"wrote {done.path}: onnx, {size(done.size)}; in: {', '.join(done.inputs)}; "
        f"out: {', '.join(done.outputs)}",
        f"compared {counted(told.rows, 'record')}: the same answers to {told.largest:.1g}",
    ]
    if told.differing:
        rows = [
            f"{row} ({', '.join(features)})"
            for row, features in islice(told.differing.items(), EXPORT_ROWS_SHOWN_MAX)
        ]
        more = ", ..." if len(told.differing) > len(rows) else ""
        lines[1] += (
            f", but for {len(told.differing)}, whose answer hangs on digits that float32 drops: "
            f"{', '.join(rows)}{more}"
        )
    return lines
