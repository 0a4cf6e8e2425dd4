"""`pfa`: PFA documents scored here and by titus2, the engine that the exporters are tested with."""

import json
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np

from benchmarks.environments import PEERS
from benchmarks.jobs import job_side
from benchmarks.measure import Report, Side, cost, interleave, speed, timed
from benchmarks.pfa_models import Model, models
from modelstream.formats import load_model

PEER = "titus2"
BATCH = 256
# Of the trees at least a hundred times as many records.
GOALS = {"100 boosted trees": 100.0}


def run(*, quick: bool = False, peers: bool = True) -> Report:
    """Measure batches of each model, and the same rows one by one in titus2."""
    rounds = 2 if quick else 7
    told: dict[str, list[float]] = {}
    speeds = []
    for model in models(BATCH):
        ours, theirs = f"{model.name}, modelstream", f"{model.name}, {PEER}"
        with ExitStack() as stack:
            sides: dict[str, Side] = {ours: own_side(model)}
            if peers:
                sides[theirs] = stack.enter_context(titus_side(model))
            found = interleave(sides, rounds)
        told |= found
        if peers:
            speeds.append(speed(ours, theirs, found, GOALS.get(model.name)))
    return Report(
        "pfa",
        "PFA documents, in batches of 256 here and row by row in titus2",
        (*(cost(name, told) for name in told), *speeds),
        (f"{rounds} rounds; {PEERS['titus'][0]}; answers are compared with scikit-learn's",),
    )


def own_side(model: Model, batches: int = 20) -> Side:
    """Return the side of this package; its answers have to be scikit-learn's."""
    loaded, columns = load_model(model.document, "pfa"), model.columns()
    scores = loaded.score(columns)
    assert not scores.errors
    np.testing.assert_allclose(scores["output"], model.expected, rtol=1e-9)

    def work() -> int:
        for _ in range(batches):
            loaded.score(columns)
        return batches * len(model.rows)

    return timed(work)


@contextmanager
def titus_side(model: Model) -> Iterator[Side]:
    """Run titus2 in its own environment; its answers have to be scikit-learn's, too."""
    with tempfile.TemporaryDirectory(prefix="modelstream-bench-") as name:
        directory = Path(name)
        (directory / "document.pfa").write_bytes(model.document)
        (directory / "records.json").write_text(json.dumps(model.records()))
        (directory / "expected.json").write_text(json.dumps(model.expected.tolist()))
        with job_side("titus", "titus_speed", directory) as side:
            yield side
