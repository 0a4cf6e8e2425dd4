"""Train a model with a tree library and score with it, one thread: `LIBRARY DIRECTORY TREES`.

The model, the rows and what is predicted for them are left in the directory. Each line on standard
input is an order `[rows at once, calls]`.
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.peer_jobs.rounds import cpu_seconds

FEATURES, DEPTH, ROWS = 30, 6, 4096
Predict = Callable[[Any], Any]


def main(library: str, directory: Path, trees: int) -> None:
    """Train, tell that the model is there, and do what is ordered."""
    rng = np.random.default_rng(7)
    table = rng.normal(size=(20_000, FEATURES))
    target = table[:, :10].sum(axis=1) + np.sin(3 * table[:, 10]) + table[:, 11] * table[:, 12]
    start = {"xgboost": xgboost, "lightgbm": lightgbm, "catboost": catboost}[library]
    predict = start(table, target, trees, directory / "model")
    rows = rng.normal(size=(ROWS, FEATURES))
    np.savez(directory / "rows.npz", rows=rows, predictions=predict(rows))
    tell("ready")
    for line in sys.stdin:
        size, calls = json.loads(line)
        some = np.ascontiguousarray(rows[:size])
        before = cpu_seconds()
        for _ in range(calls):
            predict(some)
        tell([size * calls, cpu_seconds() - before])


def tell(what: Any) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


def xgboost(table: Any, target: Any, trees: int, path: Path) -> Predict:
    import xgboost as xgb

    model = xgb.train({"max_depth": DEPTH, "nthread": 1}, xgb.DMatrix(table, target), trees)
    path.write_bytes(bytes(model.save_raw("json")))
    predict: Predict = model.inplace_predict
    return predict


def lightgbm(table: Any, target: Any, trees: int, path: Path) -> Predict:
    import lightgbm as lgb

    options = {"max_depth": DEPTH, "num_leaves": 2**DEPTH, "verbose": -1, "num_threads": 1}
    model = lgb.train(options, lgb.Dataset(table, target), trees)
    path.write_text(model.model_to_string())
    return lambda rows: model.predict(rows, num_threads=1)


def catboost(table: Any, target: Any, trees: int, path: Path) -> Predict:
    from catboost import CatBoostRegressor

    model = CatBoostRegressor(
        iterations=trees, depth=DEPTH, thread_count=1, verbose=False, allow_writing_files=False
    )
    model.fit(table, target)
    model.save_model(str(path), format="json")
    return lambda rows: model.predict(rows, thread_count=1)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
