"""`export`: a fitted estimator to a file that can be published, compared before it is written."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modelstream.errors import InvalidModel
from modelstream.exporting.compare import Comparison, compare
from modelstream.exporting.convert import to_onnx
from modelstream.exporting.sample import sample_of
from modelstream.formats import load_model
from modelstream.limits import EXPORT_ROWS_SHOWN_MAX, EXPORT_TOLERANCE


@dataclass(frozen=True, slots=True)
class Exported:
    """A file that was written: its size, the model's columns, and how far it is from the estimator."""

    path: Path
    size: int
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    comparison: Comparison


def export(
    estimator: Any,
    path: str | Path,
    *,
    sample: Any,
    features: Sequence[str] = (),
    tolerance: float = EXPORT_TOLERANCE,
) -> Exported:
    """Write a fitted scikit-learn estimator as ONNX, with the names of its features inside.

    `sample` is an array (rows, features) or a data frame that the estimator can answer: it tells the
    types of the columns, and on it the model has to answer what the estimator does, within
    `tolerance` (absolute, relative for numbers above 1). Rows where float32 falls on the other side
    of a split are told, not refused. `features` may be left out where the estimator or the sample
    names them. Raises UnsupportedModel (skl2onnx is not there, or cannot convert it), InvalidModel
    (it answers otherwise, or cannot be written), InvalidRecord (the sample cannot be used).
    """
    laid_out = sample_of(sample, feature_names(estimator, sample, features))
    data = to_onnx(estimator, laid_out)
    model = load_model(data, "onnx")
    comparison = compare(estimator, model, laid_out, tolerance)
    inputs = tuple(field.name for field in model.inputs)
    outputs = tuple(field.name for field in model.outputs)
    model.close()
    unexplained = comparison.unexplained()
    if unexplained:
        raise InvalidModel(
            f"the converted model answers {len(unexplained)} of {comparison.rows} rows otherwise "
            f"than the {type(estimator).__name__} (rows {_told(unexplained)}), by more than "
            f"{tolerance:g}; nothing was written. Allow more with a larger tolerance"
        )
    target = Path(path)
    try:
        target.write_bytes(data)
    except OSError as error:
        raise InvalidModel(f"cannot write {str(target)!r}: {error.strerror}") from error
    return Exported(target, len(data), inputs, outputs, comparison)


def feature_names(estimator: Any, sample: Any, given: Sequence[str]) -> tuple[str, ...]:
    """Return the features' names: those given, or those that the estimator or the sample has.

    Raises InvalidModel where nobody names them.
    """
    for names in (
        given,
        getattr(estimator, "feature_names_in_", ()),
        getattr(sample, "columns", ()),
    ):
        if len(names):
            return tuple(map(str, names))
    raise InvalidModel(
        "the features have no names, which records are read by; give features=[...], in the order "
        "of the columns"
    )


def _told(rows: Sequence[int]) -> str:
    told = ", ".join(map(str, rows[:EXPORT_ROWS_SHOWN_MAX]))
    return f"{told}, ..." if len(rows) > EXPORT_ROWS_SHOWN_MAX else told
