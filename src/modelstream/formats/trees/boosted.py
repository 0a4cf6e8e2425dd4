"""Run a lowered ensemble: columns in, sums of leaves, answers out.

The arithmetic is the library's own, in its order and precision, so that the answers are too.
"""

import msgspec
import numpy as np

from modelstream.errors import InvalidModel, ModelFailed
from modelstream.formats.base import (
    Description,
    Field,
    FieldType,
    InputFacts,
    OutputFacts,
    Part,
)
from modelstream.formats.description import make_header
from modelstream.formats.trees.ensemble import VERSION, Ensemble, check_ensemble, classes_of
from modelstream.formats.trees.links import linked
from modelstream.formats.trees.lookups import checked_lookup
from modelstream.formats.trees.readers import InputMatrix
from modelstream.formats.trees.sums import TreeSums
from modelstream.messages import Columns, Scores

_DECODE_ENSEMBLE = msgspec.msgpack.Decoder(Ensemble).decode


class BoostedModel:
    """An ensemble ready to score; several threads may do so at once. Raises InvalidModel."""

    def __init__(self, format_name: str, ensemble: Ensemble) -> None:
        self._format, self._ensemble = format_name, ensemble
        self._matrix = InputMatrix(ensemble.inputs)
        width = len(ensemble.inputs)
        self._lookups = [checked_lookup(each, width) for each in ensemble.lookups]
        self._sums = TreeSums(ensemble, width + sum(each.columns for each in ensemble.lookups))
        self._closed = False
        self.inputs: tuple[Field, ...] = self._matrix.fields
        self.outputs: tuple[Field, ...] = _outputs(ensemble)

    def score(self, columns: Columns) -> Scores:
        """Score all rows at once; a missing value goes where the library sends it.

        A text that is none of the categories is an error of its row, or missing, as the library
        has it. Raises InvalidRecord, ModelFailed.
        """
        if self._closed:
            raise ModelFailed("the model is closed; load it again")
        errors: dict[int, str] = {}
        matrix = self._matrix.of(columns, errors)
        if self._lookups:
            matrix = np.hstack([matrix, *(columns_of(matrix) for columns_of in self._lookups)])
        answers = linked(self._ensemble, self._sums.of(matrix))
        found = {field.name: each for field, each in zip(self.outputs, answers, strict=True)}
        return Scores(found, dict(sorted(errors.items())))

    def describe(self) -> Description:
        """Tell what the ensemble is."""
        ensemble = self._ensemble
        facts: dict[str, str | int | float] = {
            "objective": ensemble.objective,
            "trees": self._sums.trees,
            "leaves": self._sums.leaves,
            "sums": len(ensemble.base),
            "precision": "float32" if ensemble.single else "float64",
            "link": ensemble.link,
        }
        return Description(
            self._format,
            str(ensemble.version),
            make_header(application=ensemble.producer),
            tuple(
                InputFacts(
                    field.name,
                    field.type,
                    optional=field.optional,
                    values=each.categories,
                    missing="as zero" if each.missing_is_zero else "as each test says",
                )
                for field, each in zip(self.inputs, ensemble.inputs, strict=True)
            ),
            tuple(OutputFacts(field.name, field.type) for field in self.outputs),
            Part("tree ensemble", facts),
        )

    def close(self) -> None:
        """Free the kernel's memory."""
        self._closed = True
        self._sums.close()


def decode_ensemble(lowered: bytes) -> Ensemble:
    """Read a lowered ensemble. Raises InvalidModel."""
    try:
        ensemble = _DECODE_ENSEMBLE(lowered)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidModel(f"this is no lowered ensemble of trees: {error}") from error
    if ensemble.version != VERSION:
        raise InvalidModel(
            f"the lowered ensemble is of version {ensemble.version}, this program reads {VERSION}; "
            "publish the model again"
        )
    check_ensemble(ensemble)
    return ensemble


def _outputs(ensemble: Ensemble) -> tuple[Field, ...]:
    number: FieldType = "float32" if ensemble.single else "float64"
    if classes := classes_of(ensemble):
        labels = ensemble.labels or tuple(map(str, range(classes)))
        label = Field("label", "string" if ensemble.labels else "int64")
        return label, *(Field(f"probability({name})", number) for name in labels)
    if len(ensemble.base) == 1:
        return (Field("prediction", number),)
    return tuple(Field(f"prediction({index})", number) for index in range(len(ensemble.base)))
