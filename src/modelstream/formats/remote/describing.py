"""Describe a remote model: where it is, and what its server told of it."""

from collections.abc import Sequence

from modelstream.formats.base import Description, Header, InputFacts, OutputFacts, Part
from modelstream.formats.location import Location, Protocol
from modelstream.formats.onnx_graph.plan import Binding
from modelstream.formats.remote.document import Document

_PROTOCOLS: dict[Protocol, str] = {
    "oip-rest": "Open Inference Protocol v2, HTTP",
    "oip-grpc": "Open Inference Protocol v2, gRPC",
    "tf-serving": "TensorFlow Serving, HTTP",
}


def describe_remote(
    document: Document, location: Location, inputs: Sequence[Binding], outputs: Sequence[Binding]
) -> Description:
    """Return the description of a document whose tensors are bound to columns."""
    facts: dict[str, str | int | float] = {
        "server": location.host,
        "model": location.model,
        "version": location.version or "the one that the server chooses",
    }
    told = {"platform": document.platform, "signature": document.signature}
    facts |= {name: each for name, each in told.items() if each}
    return Description(
        format="remote",
        version=_PROTOCOLS[location.protocol],
        header=Header(model_version=location.version),
        inputs=tuple(
            InputFacts(field.name, field.type, field.shape, declared=each.element)
            for each in inputs
            for field in each.fields()
        ),
        outputs=tuple(
            OutputFacts(
                field.name,
                field.type,
                field.shape,
                declared=each.element,
                feature="probability" if len(each.columns) > 1 else "",
            )
            for each in outputs
            for field in each.fields()
        ),
        structure=Part("model at a server", facts),
    )
