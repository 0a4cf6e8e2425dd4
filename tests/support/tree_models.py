"""Records to train tree libraries on, and models trained with them: rows, and their predictions.

`python -m tests.support.tree_models` makes the models in tests/data anew, in the libraries' own
environments.
"""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from benchmarks.environments import python_of
from modelstream.formats.base import Model
from modelstream.messages import Column, Columns

ROOT = Path(__file__).parents[2]
DATA = Path(__file__).parents[1] / "data"
LIBRARIES = ("lightgbm", "catboost")


@dataclass(frozen=True)
class Kept:
    """A saved model, columns to score, and what the library predicts for them."""

    model: bytes
    columns: Columns
    predictions: Column


def read_kept(path: Path) -> Kept:
    """Read one of the files that the libraries' jobs write."""
    told: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    columns = {name: _column(values) for name, values in told["columns"].items()}
    return Kept(told["model"].encode(), columns, np.array(told["predictions"]))


def kept(library: str, name: str) -> Kept:
    """Read one of the models in tests/data."""
    return read_kept(DATA / library / f"{name}.json")


def names(library: str) -> list[str]:
    """Return the names of the models in tests/data."""
    return sorted(path.stem for path in (DATA / library).glob("*.json"))


def some_rows(library: str, name: str) -> Columns:
    """Return a few rows, some with values that are missing."""
    return {each: column[:13] for each, column in kept(library, name).columns.items()}


def predicted(model: Model, columns: Columns) -> Column:
    """Return what a library's `predict` or `predict_proba` does: one number a row, or several."""
    scores = model.score(columns)
    assert not scores.errors
    numbers = [scores[each.name] for each in model.outputs if each.name != "label"]
    return numbers[0] if len(numbers) == 1 else np.stack(numbers, axis=1)


def train(library: str, directory: Path, data: dict[str, Any], rounds: int, leaves: int) -> None:
    """Let a library train on some data, and leave a file for each model in a directory."""
    (directory / "data.json").write_text(json.dumps(data))
    module = ROOT / "benchmarks/peer_jobs/tree_models.py"
    arguments = [library, str(directory), str(rounds), str(leaves)]
    subprocess.run([python_of(library), module, *arguments], check=True, cwd=directory)
    (directory / "data.json").unlink()


def mixed(rows: int, seed: int = 11) -> dict[str, Any]:
    """Return numbers, some of them missing or nought, words, and numbers that stand for words."""
    rng = np.random.default_rng(seed)
    towns = np.array(["Ulm", "Bonn", "Köln", "Rothenburg ob der Tauber", ""], dtype=object)

    def table(count: int) -> dict[str, Any]:
        gaps = np.where(rng.random(count) < 0.2, np.nan, rng.normal(size=count))
        zeros = np.where(rng.random(count) < 0.4, 0.0, rng.normal(size=count) + 1)
        return {
            "gaps": gaps,
            "town": rng.choice(towns, count),
            "zeros": zeros,
            "code": rng.integers(0, 40, count).astype(float),
            "size": rng.normal(size=count) * 100,
        }

    columns, other = table(rows), table(40)
    other["size"][:6] = [np.nan, np.inf, -np.inf, 1e300, 0.0, -0.0]
    other["zeros"][:4] = [np.nan, 1e-36, -1e-35, 1.0000000180025095e-35]
    other["code"][:5] = [np.nan, -1.0, 7.6, 1e12, 41.0]
    length = np.array([len(town) for town in columns["town"]])
    target = np.nan_to_num(columns["gaps"], nan=2.0) + length / 5 + columns["size"] / 60
    target += (columns["code"] % 5) + 2 * (columns["zeros"] == 0) + 0.1 * rng.normal(size=rows)
    return _data(columns, other, target)


def wine() -> dict[str, Any]:
    """Return the wines of scikit-learn, to tell their alcohol by the other numbers."""
    from sklearn.datasets import load_wine  # here: it takes seconds

    found = load_wine()
    names = [name.replace("/", "_") for name in found.feature_names]
    columns = dict(zip(names, found.data.T, strict=True))
    alcohol = columns.pop("alcohol")
    return _data(columns, columns, alcohol)


def diabetes() -> dict[str, Any]:
    """Return scikit-learn's patients, a quarter of their values missing."""
    from sklearn.datasets import load_diabetes

    found = load_diabetes()
    rng = np.random.default_rng(5)
    columns = {
        name: np.where(rng.random(len(column)) < 0.25, np.nan, column)
        for name, column in zip(found.feature_names, found.data.T, strict=True)
    }
    return _data(columns, columns, found.target)


def _data(columns: Columns, rows: Columns, target: Column) -> dict[str, Any]:
    """Return a table and rows as JSON has them, with something to learn of each kind."""
    scaled = (target - target.mean()) / target.std()
    cuts = np.quantile(target, [0.3, 0.7])
    positive = np.exp(scaled / 2)
    above = scaled > 0
    return {
        "train": {name: _plain(column) for name, column in columns.items()},
        "rows": {name: _plain(column) for name, column in rows.items()},
        "target": {
            "number": target.tolist(),
            "positive": positive.tolist(),
            "yes": above.astype(int).tolist(),
            "answer": np.where(above, "yes", "no").tolist(),
            "chance": (0.2 + 0.6 * above).tolist(),
            "class": np.digitize(target, cuts).tolist(),
            "several": np.stack([target, positive], axis=1).tolist(),
            "constant": [3.0] * len(target),
        },
    }


def _plain(column: Column) -> list[Any]:
    return [None if value != value else value for value in column.tolist()]  # noqa: PLR0124 - NaN


def _column(values: list[Any]) -> Column:
    if any(isinstance(value, str) for value in values):
        return np.array(values, dtype=object)
    return np.array([np.nan if value is None else value for value in values])


def main() -> None:
    """Train the models in tests/data; they are small, for they lie in the tree."""
    for library in LIBRARIES:
        with TemporaryDirectory() as name:
            train(library, Path(name), mixed(300), rounds=4, leaves=8)
            (DATA / library).mkdir(exist_ok=True)
            for path in Path(name).glob("*.json"):
                (DATA / library / path.name).write_text(path.read_text())


if __name__ == "__main__":
    main()
