"""A model that TensorFlow runs: bound to columns as any graph is, and scored in its own process."""

from importlib.util import find_spec

import numpy as np

from modelstream.errors import InvalidModel, ModelTimedOut
from modelstream.formats.base import Description, Field, Hints, InputFacts, OutputFacts, Part
from modelstream.formats.description import encode_description, make_header
from modelstream.formats.onnx_graph.model import OnnxModel
from modelstream.formats.onnx_graph.plan import PLAN_VERSION, Binding, Plan
from modelstream.formats.onnx_graph.signature import bind_inputs, bind_outputs
from modelstream.formats.onnx_graph.trial import try_rows
from modelstream.formats.onnx_graph.writer import Declared, GraphWriter
from modelstream.formats.tensorflow.native.form import NativeForm, decode_form
from modelstream.formats.tensorflow.native.runtime import shared_runtime
from modelstream.formats.tensorflow.native.session import NativeSession
from modelstream.messages import Columns, Scores


class NativeModel:
    """A session in another process, and how its tensors are columns."""

    def __init__(self, session: NativeSession, bound: OnnxModel) -> None:
        self._session = session
        self._bound = bound
        self.inputs: tuple[Field, ...] = bound.inputs
        self.outputs: tuple[Field, ...] = bound.outputs

    def score(self, columns: Columns) -> Scores:
        """Score all rows at once; see `formats.base.Model`.

        Raises InvalidRecord, ModelFailed, ModelTimedOut, and InvalidModel where the graph does not
        give one answer a row.
        """
        return self._bound.score(columns)

    def describe(self) -> Description:
        """Tell what the graph is."""
        return self._bound.describe()

    def close(self) -> None:
        """End the process."""
        self._bound.close()
        self._session.close()


def load_native(lowered: bytes) -> NativeModel:
    """Start the model's process and give it its graph. Raises InvalidModel."""
    form = decode_form(lowered)
    if find_spec("tensorflow") is None:
        raise InvalidModel(
            f"{form.why}; TensorFlow runs it, and is not installed here: "
            "pip install 'modelstream[tensorflow]'"
        )
    session = NativeSession(form, shared_runtime())
    try:
        return NativeModel(session, OnnxModel(session, _plan(form, session)))
    except ModelTimedOut as error:
        session.close()
        raise InvalidModel(f"the model does not answer a few made-up rows: {error}") from error
    except BaseException:
        session.close()
        raise


def _plan(form: NativeForm, session: NativeSession) -> Plan:
    """Bind the graph's tensors to columns, as those of a graph of ONNX are."""
    declared = GraphWriter().finish(
        [Declared(each.name, np.dtype(each.dtype), each.shape) for each in form.inputs], []
    )
    hints = Hints(form.feature_names, form.labels)
    inputs = bind_inputs(session, declared, hints)
    trial = try_rows(session, inputs)
    open_inputs = any(None in each.shape for each in inputs)
    outputs = bind_outputs(session, trial, {}, hints, open_inputs=open_inputs)
    description = encode_description(_describe(form, session, inputs, outputs))
    by_row = trial.outcome == "single"
    return Plan(PLAN_VERSION, b"", inputs, outputs, by_row, description)


def _describe(
    form: NativeForm,
    session: NativeSession,
    inputs: tuple[Binding, ...],
    outputs: tuple[Binding, ...],
) -> Description:
    return Description(
        format=form.format,
        version=form.made_by,
        header=make_header(application="TensorFlow"),
        inputs=tuple(
            InputFacts(field.name, field.type, field.shape, declared=each.element)
            for each in inputs
            for field in each.fields()
        ),
        outputs=tuple(
            OutputFacts(field.name, field.type, field.shape, declared=each.element)
            for each in outputs
            for field in each.fields()
        ),
        structure=Part(
            "graph",
            {
                "runs in": f"TensorFlow {session.version}, in a process of its own",
                "because": form.why,
                "bytes": len(form.graph),
            },
        ),
    )
