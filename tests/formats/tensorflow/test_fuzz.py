"""Damaged models are models or invalid models; nothing else ever comes of them."""

import random

import pytest

from modelstream.errors import InvalidModel, ModelFailed, ModelstreamError
from modelstream.formats.base import Format, Hints
from modelstream.formats.synthetic import synthetic_columns
from modelstream.formats.tensorflow import GraphDefFormat, SavedModelFormat
from modelstream.formats.tensorflow.saved.archive import GRAPH, unpack
from modelstream.wire.proto import tensorflow_subset_pb2 as pb
from tests.support.tensorflow_answers import operations, saved_models
from tests.support.tensorflow_mutations import damaged, mixed_up
from tests.support.tensorflow_saved import scaled, tarred, zipped

pytestmark = pytest.mark.fuzz
ROUNDS = 300


def attempt(chosen: Format, data: bytes) -> bool:
    """Tell whether damaged bytes were a model; anything but an error of ours is raised."""
    try:
        model = chosen.load(chosen.lower(data, Hints()))
    except InvalidModel:
        return False
    try:
        model.score(synthetic_columns(model.inputs, 3))
    except (ModelFailed, ModelstreamError):
        return False
    return True


def frozen_graph(rng: random.Random) -> bytes:
    """Return a frozen graph that was damaged."""
    data = rng.choice(list(operations().values())).model
    return damaged(rng, data) if rng.random() < 0.3 else mixed_up(rng, data)


def archive(rng: random.Random) -> bytes:
    """Return a SavedModel that was damaged: its graph, one of its files, or the archive of them."""
    models = [scaled(), *(unpack(each.model) for each in saved_models().values())]
    files = dict(rng.choice(models))
    kind = rng.randrange(3)
    if kind == 0:
        name = rng.choice(sorted(files))
        files[name] = damaged(rng, files[name])
    elif kind == 1:
        saved = pb.SavedModel.FromString(files[GRAPH])
        meta = saved.meta_graphs[0]
        mixed = mixed_up(rng, meta.graph_def.SerializeToString())
        meta.graph_def.CopyFrom(pb.GraphDef.FromString(mixed))
        files[GRAPH] = saved.SerializeToString()
    packed = rng.choice([zipped(files), tarred(files), tarred(files, "w:gz")])
    return damaged(rng, packed) if kind == 2 else packed


def test_damaged_frozen_graphs() -> None:
    rng = random.Random(0)
    models = sum(attempt(GraphDefFormat(), frozen_graph(rng)) for _ in range(ROUNDS))
    assert 0 < models < ROUNDS


def test_damaged_archives() -> None:
    rng = random.Random(0)
    models = sum(attempt(SavedModelFormat(), archive(rng)) for _ in range(ROUNDS))
    assert 0 < models < ROUNDS
