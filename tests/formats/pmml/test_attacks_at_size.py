"""Attacks in their full size: each is refused early, by its own limit, in little memory.

The same limits are met one by one, by small documents, in test_attacks.py.
"""

import json
import subprocess
import sys

from tests.support.pmml_attacks import ATTACKS


def test_every_attack_is_refused_after_few_elements_in_little_memory() -> None:
    child = subprocess.run(
        [sys.executable, "-m", "tests.support.pmml_attacks"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert child.returncode == 0, child.stderr
    told = json.loads(child.stdout)
    missed = {name: told[name] for name, each in ATTACKS.items() if each.words not in told[name]}
    assert not missed
