"""Collect binary tests and leaves into the flat arrays of a lowered forest."""

from typing import NamedTuple

import numpy as np

from modelstream.errors import InvalidModel
from modelstream.formats import limits
from modelstream.formats.pmml.elements.forests import Forest, ForestInput
from modelstream.formats.pmml.trees.decisions import Test
from modelstream.formats.pmml.trees.leaves import Leaves
from modelstream.formats.trees.arrays import Trees
from modelstream.formats.trees.onnx_graph import LESS_OR_EQUAL, MEMBER


class Place(NamedTuple):
    """Where the number of a test or leaf belongs, and how many tests lead there."""

    column: list[int]
    at: int
    depth: int


class ForestWriter:
    """The tests of a forest, each before those it leads to."""

    def __init__(self) -> None:
        self._roots: list[int] = []
        self._feature: list[int] = []
        self._mode: list[int] = []
        self._split: list[float] = []
        self._true: list[int] = []
        self._false: list[int] = []
        self._missing_is_true: list[bool] = []
        self._members: list[float] = []

    def root(self) -> Place:
        """Begin a tree."""
        self._roots.append(0)
        return Place(self._roots, len(self._roots) - 1, 0)

    def leaf(self, leaf: int, place: Place) -> None:
        """Put a leaf into its place."""
        if place.column is not self._roots:
            place.column[place.at] = -1 - leaf
            return
        # A tree of one leaf: the kernel needs a test, and a test needs two leaves.
        place.column[place.at] = len(self._feature)
        self._append(0, LESS_OR_EQUAL, np.inf, missing_is_true=False)
        self._true[-1] = self._false[-1] = -1 - leaf

    def test(self, test: Test, place: Place) -> list[tuple[int, Place]]:
        """Put a test into its place; return the ends of its graph with their places.

        A missing value goes with one of the two answers where it can; otherwise one more test
        before this one sends it where it belongs.
        """
        if place.depth >= limits.TREE_DEPTH_MAX:
            raise InvalidModel(f"trees are deeper than {limits.TREE_DEPTH_MAX} tests")
        question, depth = test.question, place.depth + 1
        rest = []
        if test.unknown not in {test.true, test.false}:
            here = self._put(place)
            self._append(question.input, LESS_OR_EQUAL, np.inf, missing_is_true=False)
            rest.append((test.unknown, Place(self._false, here, depth)))
            place, depth = Place(self._true, here, depth), depth + 1
        here = self._put(place)
        missing_is_true = test.unknown == test.true and test.unknown != test.false
        self._append(question.input, question.mode, question.split, missing_is_true=missing_is_true)
        if question.mode == MEMBER:
            self._members.extend((*question.members, np.nan))
        rest.append((test.false, Place(self._false, here, depth)))
        rest.append((test.true, Place(self._true, here, depth)))
        return rest

    def forest(self, inputs: tuple[ForestInput, ...], leaves: Leaves) -> Forest:
        """Return what was written."""
        distribution = confidence = b""
        if leaves.labels:
            distribution = leaves.distributions().tobytes()
            confidences = leaves.confidences()
            confidence = b"" if confidences is None else confidences.tobytes()
        return Forest(
            inputs=inputs,
            trees=Trees(
                roots=_bytes(self._roots, "<i4"),
                feature=_bytes(self._feature, "<i4"),
                mode=_bytes(self._mode, "<u1"),
                split=_bytes(self._split, "<f8"),
                true=_bytes(self._true, "<i4"),
                false=_bytes(self._false, "<i4"),
                missing_is_true=_bytes(self._missing_is_true, "<u1"),
                members=_bytes(self._members, "<f8"),
            ),
            labels=leaves.labels,
            score=leaves.scores().astype("<f8").tobytes(),
            distribution=distribution,
            confidence=confidence,
            ids=leaves.ids,
        )

    def _put(self, place: Place) -> int:
        here = len(self._feature)
        place.column[place.at] = here
        return here

    def _append(self, feature: int, mode: int, split: float, *, missing_is_true: bool) -> None:
        if len(self._feature) >= limits.TREE_TESTS_MAX:
            raise InvalidModel(f"trees with more than {limits.TREE_TESTS_MAX} tests")
        self._feature.append(feature)
        self._mode.append(mode)
        self._split.append(split)
        self._true.append(0)
        self._false.append(0)
        self._missing_is_true.append(missing_is_true)


def _bytes(values: list[int] | list[float] | list[bool], dtype: str) -> bytes:
    return np.array(values, dtype=dtype).tobytes()
