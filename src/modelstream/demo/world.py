"""The world of the demo: biopsies to diagnose, and a microscope that is recalibrated one day.

The biopsies are the Wisconsin diagnostic breast cancer data that scikit-learn ships: 569 patients,
30 measurements of cell nuclei each, and the diagnosis. Half of them train, half of them stream.
"""

from dataclasses import dataclass

import msgspec
import numpy as np
import numpy.typing as npt
from sklearn.datasets import load_breast_cancer

SEED = 0

# After the recalibration lengths are told in units half as long, so that areas are fourfold.
_FACTORS = {"radius": 2.0, "perimeter": 2.0, "area": 4.0}


@dataclass(frozen=True, slots=True)
class Biopsies:
    """Measurements, one row a patient, and the diagnosis of each."""

    names: tuple[str, ...]
    measurements: npt.NDArray[np.float64]
    diagnoses: npt.NDArray[np.str_]

    def __len__(self) -> int:
        return len(self.diagnoses)


def load_biopsies() -> tuple[Biopsies, Biopsies]:
    """Return the half to train with, and the half that streams and no model has seen."""
    data = load_breast_cancer()
    names = tuple(str(name).replace(" ", "_") for name in data.feature_names)
    diagnoses = data.target_names[data.target]
    order = np.random.default_rng(SEED).permutation(len(diagnoses))
    middle = len(order) // 2
    train, stream = (
        Biopsies(names, data.data[rows], diagnoses[rows])
        for rows in (order[:middle], order[middle:])
    )
    return train, stream


def recalibrated(biopsies: Biopsies) -> Biopsies:
    """Return the same biopsies as the recalibrated microscope measures them."""
    factors = np.array([_factor(name) for name in biopsies.names])
    return Biopsies(biopsies.names, biopsies.measurements * factors, biopsies.diagnoses)


def records(biopsies: Biopsies) -> list[bytes]:
    """Return each biopsy's measurements as a JSON object."""
    encode = msgspec.json.Encoder().encode
    rows = biopsies.measurements.tolist()
    return [encode(dict(zip(biopsies.names, row, strict=True))) for row in rows]


def _factor(name: str) -> float:
    return next((factor for word, factor in _FACTORS.items() if word in name), 1.0)
