"""ONNX artifacts for tests of admission: honest ones that are small, and some that mean harm."""

import numpy as np

from tests.support.graphs import (
    BOOL,
    FLOAT,
    INT64,
    constant,
    external,
    graph,
    model,
    node,
    to_bytes,
    value,
)

ROWS = ("N", 1)


def adder(amount: float = 1.0, field: str = "x") -> bytes:
    """Answer `score` = `field` + amount."""
    return to_bytes(
        model(
            [node("Add", [field, "amount"], ["score"])],
            [value(field, shape=ROWS)],
            [value("score", shape=ROWS)],
            [constant("amount", np.array([amount], np.float32))],
        )
    )


def nothing() -> bytes:
    """Answer 0 / 0 whatever the record."""
    return to_bytes(
        model(
            [node("Mul", ["x", "zero"], ["none"]), node("Div", ["none", "zero"], ["score"])],
            [value("x", shape=ROWS)],
            [value("score", shape=ROWS)],
            [constant("zero", np.array([0], np.float32))],
        )
    )


def only_not_zero() -> bytes:
    """Answer the rows that are not zero, and leave out the others."""
    return to_bytes(
        model(
            [
                node("Cast", ["x"], ["kept"], to=BOOL),
                node("Squeeze", ["kept", "axis"], ["rows"]),
                node("Compress", ["x", "rows"], ["score"], axis=0),
            ],
            [value("x", shape=ROWS)],
            [value("score", shape=ROWS)],
            [constant("axis", np.array([1], np.int64))],
        )
    )


def counts_to(trips: int) -> bytes:
    """Loop so many times before the answer."""
    body = graph(
        [node("Identity", ["go_on"], ["goes_on"]), node("Add", ["sum", "one"], ["more"])],
        [value("i", INT64, ()), value("go_on", BOOL, ()), value("sum", FLOAT, ROWS)],
        [value("goes_on", BOOL, ()), value("more", FLOAT, ROWS)],
        [constant("one", np.array([1], np.float32))],
    )
    return to_bytes(
        model(
            [node("Loop", ["trips", "", "x"], ["score"], body=body)],
            [value("x", shape=ROWS)],
            [value("score", shape=ROWS)],
            [constant("trips", np.array(trips, np.int64))],
        )
    )


def reads_file(location: str) -> bytes:
    """Keep a weight in a file of the machine that loads the model."""
    return to_bytes(
        model(
            [node("Cast", ["w"], ["weight"], to=FLOAT), node("Add", ["x", "weight"], ["score"])],
            [value("x", shape=ROWS)],
            [value("score", shape=ROWS)],
            [external("w", location, 1)],
        )
    )
