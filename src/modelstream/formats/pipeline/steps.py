"""The steps that there are, by the word that stands for each in a document; a pipeline of them."""

from typing import Any

import msgspec

from modelstream.errors import InvalidModel
from modelstream.formats.base import Field
from modelstream.formats.pipeline.arranging import Combine, Rename, Select, Split
from modelstream.formats.pipeline.calling import Python
from modelstream.formats.pipeline.converting import Cast, Impute, Scale
from modelstream.formats.pipeline.deciding import Argmax, OneHot, Threshold
from modelstream.formats.pipeline.document import Written, decoded, step_label
from modelstream.formats.pipeline.expression import Expression
from modelstream.formats.pipeline.submodel import ModelStep
from modelstream.formats.pipeline.windowing import Window

VERSION = 1

Transform = (
    Rename | Select | Cast | Scale | OneHot | Argmax | Threshold | Impute | Combine | Split
    | Expression | Window
)  # fmt: skip
Step = Transform | Python | ModelStep
MODEL = "model"
_OPTIONS: dict[str, Any] = {
    "rename": Rename, "select": Select, "cast": Cast, "scale": Scale, "one_hot": OneHot,
    "argmax": Argmax, "threshold": Threshold, "impute": Impute, "combine": Combine, "split": Split,
    "expression": Expression, "window": Window, "python": Python,
}  # fmt: skip
WORDS = (MODEL, *_OPTIONS)


class Placed(msgspec.Struct, frozen=True):
    """A step with its name, which may be empty."""

    name: str
    step: Step

    def word(self) -> str:
        """Return the word that stands for the step."""
        return str(self.step.__struct_config__.tag)

    def label(self, number: int) -> str:
        """Return what messages call the step."""
        return step_label(number, self.word(), self.name)


class Lowered(msgspec.Struct, frozen=True, tag="pipeline", kw_only=True):
    """A pipeline as plain data. `version` is of this form; `declared` fields may not be read."""

    version: int
    declared: tuple[Field, ...]
    steps: tuple[Placed, ...]
    outputs: tuple[str, ...]


_DECODE_LOWERED = msgspec.msgpack.Decoder(Lowered).decode


def read_step(step: Written) -> Transform | Python:
    """Return the step that a document writes, one that is no model. Raises InvalidModel."""
    read: Transform | Python = decoded(
        msgspec.json.encode(step.options), _OPTIONS[step.word], "its options do not fit"
    )
    return read


def encode_lowered(form: Lowered) -> bytes:
    """Return a lowered pipeline as MessagePack."""
    return msgspec.msgpack.encode(form)


def decode_lowered(data: bytes) -> Lowered:
    """Read a lowered pipeline. Raises InvalidModel."""
    try:
        form = _DECODE_LOWERED(data)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise InvalidModel(f"this is no lowered pipeline: {error}") from error
    if form.version != VERSION:
        raise InvalidModel(
            f"the lowered pipeline is of version {form.version}, this program reads {VERSION}; "
            "publish the pipeline again"
        )
    return form
