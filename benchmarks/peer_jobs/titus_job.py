"""Answers PFA documents with titus2, in its own environment: JSON lines in, JSON lines out.

A line is a document with records; the answer is a value or an error for each record.
"""

import json
import math
import signal
import sys
from typing import Any

import numpy as np

from benchmarks.peer_jobs.titus_engine import engine_class

# Some of its functions never come back from numbers that are none.
SECONDS_MAX = 1.0


def plain(value: Any) -> Any:
    """Write numbers that JSON has no word for as objects, and bytes as text."""
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, complex):
        raise TypeError("a complex number is no value of PFA")
    if isinstance(value, float) and not math.isfinite(value):
        return {"number": repr(value)}
    return value


def give_up(*_: Any) -> None:
    raise TimeoutError("titus2 took too long")


def answer(engine: Any, record: Any) -> dict[str, Any]:
    signal.setitimer(signal.ITIMER_REAL, SECONDS_MAX)
    try:
        return {"value": plain(engine.action(record))}
    except Exception as error:  # noqa: BLE001 - whatever titus2 stumbles over is no answer
        code = getattr(error, "code", None)
        return {"crash": f"{type(error).__name__}: {error}"} if code is None else {"code": code}
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def answers(engines: Any, job: dict[str, Any]) -> dict[str, Any]:
    try:
        (engine,) = engines.fromJson(job["document"])
    except Exception as error:  # noqa: BLE001 - as above
        return {"refused": f"{type(error).__name__}: {error}"}
    return {"answers": [answer(engine, record) for record in job["records"]]}


def main() -> None:
    """Answer one line after the other."""
    signal.signal(signal.SIGALRM, give_up)
    engines = engine_class()
    for line in sys.stdin:
        sys.stdout.write(json.dumps(answers(engines, json.loads(line))) + "\n")


if __name__ == "__main__":
    main()
