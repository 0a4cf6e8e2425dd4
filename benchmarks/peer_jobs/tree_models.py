"""Train models with a tree library on given records, and keep what it predicts: for tests.

`python -m benchmarks.peer_jobs.tree_models LIBRARY DIRECTORY ROUNDS LEAVES` reads `data.json` of the
directory and writes a file for each model. `train` are columns, `target` what there is to learn
for each kind of task, and `rows` columns to score; null is missing.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

Model = tuple[str, str, Any]  # name, saved model, predictions


def main(library: str, directory: Path, rounds: int, leaves: int) -> None:
    """Train every kind of model."""
    data = json.loads((directory / "data.json").read_text())
    train = {"lightgbm": lightgbm_models, "catboost": catboost_models}[library]
    for name, model, predictions in train(data, rounds, leaves):
        kept = {"columns": data["rows"], "predictions": predictions.tolist(), "model": model}
        (directory / f"{name}.json").write_text(json.dumps(kept, separators=(",", ":")))


def is_text(values: list[Any]) -> bool:
    return any(isinstance(value, str) for value in values)


def lightgbm_models(data: dict[str, Any], rounds: int, leaves: int) -> Iterator[Model]:
    """Train one of each objective, and of what else changes how a model is to be read."""
    import lightgbm as lgb
    import pandas as pd

    def frame(columns: dict[str, list[Any]]) -> Any:
        made = pd.DataFrame({n: v for n, v in columns.items() if not is_text(v)}, dtype=float)
        for place, (name, values) in enumerate(columns.items()):
            if is_text(values):
                made.insert(place, name, pd.Categorical(values))
        return made

    table, rows = frame(data["train"]), frame(data["rows"])
    plain = {"num_leaves": leaves, "verbose": -1, "num_threads": 1, "min_data_in_leaf": 5}
    plain |= {"min_data_per_group": 2, "cat_smooth": 1, "seed": 3, "deterministic": True}
    objectives = {
        "number": ("regression", "regression_l1", "huber", "fair", "quantile", "mape"),
        "positive": ("poisson", "gamma", "tweedie"),
        "yes": ("binary", "cross_entropy", "cross_entropy_lambda"),
        "class": ("multiclass", "multiclassova"),
    }
    cases = [(name, name, target, {}) for target, names in objectives.items() for name in names]
    bagged = {"boosting": "rf", "bagging_freq": 1, "bagging_fraction": 0.7}
    cases += [
        ("sqrt", "regression", "number", {"reg_sqrt": True}),
        ("forest", "binary", "yes", bagged),
        ("dart", "regression", "number", {"boosting": "dart"}),
        ("zero", "regression", "number", {"zero_as_missing": True}),
        ("nothing_missing", "regression", "number", {"use_missing": False}),
        ("steep", "binary", "yes", {"sigmoid": 2.5}),
        ("constant", "regression", "constant", {}),
        ("unnamed", "", "number", {"objective": squared}),
    ]
    for name, objective, target, more in cases:
        options = plain | {"objective": objective} | more
        if target == "class":
            options["num_class"] = len(set(data["target"]["class"]))
        model = lgb.train(options, lgb.Dataset(table, data["target"][target]), rounds)
        yield name, model.model_to_string(), model.predict(rows)
    # Categories that are whole numbers, known by their place.
    numbers = [place for place, values in enumerate(data["train"].values()) if not is_text(values)]
    if "code" in table:
        only, scored = table.iloc[:, numbers], rows.iloc[:, numbers]
        place = [list(only).index("code")]
        told = lgb.Dataset(only.to_numpy(), data["target"]["number"], categorical_feature=place)
        model = lgb.train(plain | {"objective": "regression"}, told, rounds)
        text = model.model_to_string().replace(
            " ".join(f"Column_{at}" for at in range(only.shape[1])), " ".join(only)
        )
        yield "sets", text, model.predict(scored.to_numpy())


def squared(predicted: Any, data: Any) -> tuple[Any, Any]:
    """Return gradients of the squared error: an objective that a saved model does not name."""
    return predicted - data.get_label(), np.ones_like(predicted)


def catboost_models(data: dict[str, Any], rounds: int, leaves: int) -> Iterator[Model]:
    """Train one of each loss function, and of what else changes how a model is to be read."""
    from catboost import CatBoostClassifier, CatBoostRegressor, Pool

    texts = [place for place, values in enumerate(data["train"].values()) if is_text(values)]

    def table(columns: dict[str, list[Any]]) -> list[tuple[Any, ...]]:
        numbers = ([np.nan if v is None else v for v in values] for values in columns.values())
        return list(zip(*numbers, strict=True))

    plain = {"iterations": rounds, "depth": leaves.bit_length() - 1, "thread_count": 1}
    plain |= {"verbose": False, "allow_writing_files": False, "random_seed": 3}
    pool = {"cat_features": texts, "feature_names": list(data["train"])}
    train, rows = table(data["train"]), Pool(table(data["rows"]), **pool)
    by_word = {"one_hot_max_size": 255}
    every = ["Borders", "Buckets", "BinarizedTargetMeanValue", "Counter"]
    by_count = {"one_hot_max_size": 1, "simple_ctr": every, "combinations_ctr": every}
    cases: list[tuple[str, str, str, dict[str, Any]]] = [
        ("number", "RMSE", "number", {}),
        ("absolute", "MAE", "number", {}),
        ("quantile", "Quantile:alpha=0.7", "number", by_word),
        ("poisson", "Poisson", "positive", {}),
        ("tweedie", "Tweedie:variance_power=1.5", "positive", {}),
        ("several", "MultiRMSE", "several", {}),
        ("above", "RMSE", "number", {"nan_mode": "Max"}),
        ("words", "RMSE", "number", by_word),
        ("counts", "Logloss", "yes", by_count),
        ("yes", "Logloss", "answer", {}),
        ("chance", "CrossEntropy", "chance", {}),
        ("class", "MultiClass", "class", {}),
        ("class_counts", "MultiClass", "class", by_count),
        ("one_vs_all", "MultiClassOneVsAll", "class", {}),
        ("leafwise", "Logloss", "yes", {"grow_policy": "Lossguide", "max_leaves": leaves}),
        ("levelwise", "MultiClass", "class", {"grow_policy": "Depthwise"} | by_word),
    ]
    for name, loss, target, more in cases:
        classes = target in {"yes", "answer", "chance", "class"}
        kind = CatBoostClassifier if classes else CatBoostRegressor
        model = kind(**(plain | {"loss_function": loss} | more))
        model.fit(Pool(train, data["target"][target], **pool))
        path = Path(f"{name}.catboost")
        model.save_model(str(path), format="json")
        text = path.read_text()
        path.unlink()
        yield name, shortened(text), model.predict_proba(rows) if classes else model.predict(rows)


def shortened(text: str) -> str:
    """Return a model without what tells how it was trained."""
    model = json.loads(text)
    info = model["model_info"]
    kept = {"params": {"loss_function": info["params"]["loss_function"]}}
    release = info["catboost_version_info"].partition("Author")[0]
    if "class_params" in info:
        kept["class_params"] = info["class_params"]
    model["model_info"] = kept | {"catboost_version_info": release}
    return json.dumps(model, separators=(",", ":"))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]).resolve(), int(sys.argv[3]), int(sys.argv[4]))
