"""PMML engines behind one face: a document gives ways to score dicts, each giving dicts.

Each is imported when it is asked for, in the environment that has it.
"""

import json
import os
import shutil
from collections.abc import Callable
from itertools import repeat
from operator import itemgetter
from pathlib import Path
from typing import Any

Rows = list[dict[str, Any]]
# Scores some rows; there may be several ways, and the benchmark takes the fastest.
Way = Callable[[Rows], list[Any]]
Ways = dict[str, Way]
Load = Callable[[Path], Ways]


def start(engine: str, backend: str) -> Load:
    """Start an engine, its virtual machine if it has one, and return how it loads a document."""
    if shutil.which("java") is not None:  # PyJNIus looks nowhere else
        java = Path(os.path.realpath(str(shutil.which("java"))))
        os.environ.setdefault("JAVA_HOME", str(java.parents[1]))
    starts: dict[str, Callable[[str], Load]] = {
        "modelstream": _start_modelstream,
        "jpmml": _start_jpmml,
        "pypmml": _start_pypmml,
        "sklearn-pmml-model": _start_sklearn_pmml_model,
    }
    return starts[engine](backend)


def columns_of(rows: Rows) -> tuple[list[str], list[list[Any]]]:
    """Return the names that all rows have, and a column of values for each."""
    names = list(rows[0])
    if len(rows) == 1:
        return names, [[value] for value in rows[0].values()]
    return names, [list(map(itemgetter(name), rows)) for name in names]


def rows_of(names: list[str], columns: Any) -> Rows:
    """Return columns as rows."""
    return list(map(dict, map(zip, repeat(names), zip(*columns, strict=True))))


def _start_modelstream(_: str) -> Load:
    import numpy as np

    from modelstream import load_model, score_rows

    def load(path: Path) -> Ways:
        model = load_model(path, format="pmml")
        texts = {field.name for field in model.inputs if field.type == "string"}

        def score(rows: Rows) -> Rows:
            given = zip(*columns_of(rows), strict=True)
            columns = {
                name: np.array(values, dtype=object if name in texts else np.float64)
                for name, values in given
            }
            scores = model.score(columns)
            return rows_of(list(scores), [column.tolist() for column in scores.values()])

        return {"score_rows": lambda given: score_rows(model, given), "score": score}

    return load


def _start_jpmml(backend: str) -> Load:
    import pandas as pd
    from jpmml_evaluator import PythonEvaluatorUtil, make_backend, make_evaluator

    java = make_backend(backend)

    def load(path: Path) -> Ways:
        evaluator = make_evaluator(str(path), backend=java)

        def one_by_one(rows: Rows) -> Rows:
            return [evaluator.evaluate(dict(row)) for row in rows]

        def frame(rows: Rows) -> Rows:
            answers, errors = evaluator.evaluateAll(
                pd.DataFrame(rows), error_col=None, parallelism=1
            )
            if errors is not None and errors.notna().any():
                raise ValueError(errors.dropna().iloc[0])
            answered: Rows = answers.to_dict("records")
            return answered

        def columns(rows: Rows) -> Rows:
            """Do what evaluateAll does, without pandas between it and the caller."""
            names, values = columns_of(rows)
            given = {"columns": names, "data": list(map(list, values))}
            told = PythonEvaluatorUtil.evaluateAll(java, evaluator.javaEvaluator, given, None, 1)
            if told["errors"] is not None:
                raise ValueError(next(filter(None, told["errors"])))
            return rows_of(told["columns"], told["data"])

        return {
            "evaluate": one_by_one,
            "evaluateAll of a DataFrame": frame,
            "evaluateAll of columns": columns,
        }

    return load


def _start_pypmml(backend: str) -> Load:
    import pandas as pd
    from pypmml import Model
    from pypmml.base import PMMLContext

    PMMLContext.getOrCreate(gateway=backend)

    def load(path: Path) -> Ways:
        model = Model.fromFile(str(path))

        def one_by_one(rows: Rows) -> Rows:
            return [dict(model.predict(row)) for row in rows]

        def frame(rows: Rows) -> Rows:
            answered: Rows = model.predict(pd.DataFrame(rows)).to_dict("records")
            return answered

        def split_json(rows: Rows) -> Rows:
            names, values = columns_of(rows)
            given = {"columns": names, "data": list(zip(*values, strict=True))}
            told = json.loads(str(model.predict(json.dumps(given))))
            return [dict(zip(told["columns"], row, strict=True)) for row in told["data"]]

        return {"predict": one_by_one, "predict of a DataFrame": frame, "of JSON": split_json}

    return load


def _start_sklearn_pmml_model(_: str) -> Load:
    import warnings

    import pandas as pd
    from sklearn_pmml_model.auto_detect import auto_detect_estimator

    warnings.simplefilter("ignore")  # it calls scikit-learn with names and without, by turns

    def load(path: Path) -> Ways:
        model = auto_detect_estimator(str(path))
        outputs = [f"probability({label})" for label in model.classes_]

        def frame(rows: Rows) -> Rows:
            table = pd.DataFrame(dict(zip(*columns_of(rows), strict=True)))
            return rows_of(outputs, model.predict_proba(table).T.tolist())

        return {"predict_proba of a DataFrame": frame}

    return load
