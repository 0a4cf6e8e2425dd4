"""What peers ship only in their source distributions: fetched by pip when it is asked for, never kept
in this repository.
"""

import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from benchmarks.environments import PEERS, python_of

_TESTS = Path(__file__).parent / ".envs" / "titus-tests"


def titus_tests() -> Path:
    """Return the folder of titus2's own tests; they are fetched when they are not there."""
    (wanted,) = PEERS["titus"]
    place = _TESTS / wanted
    if not place.is_dir():
        sys.stderr.write(f"fetching the tests of {wanted} to {place}\n")
        with tempfile.TemporaryDirectory(prefix="modelstream-") as name:
            options = ["-q", "-d", name, "--no-deps", "--no-binary", ":all:"]
            pip = [str(python_of("titus")), "-m", "pip"]
            subprocess.run([*pip, "download", *options, wanted], check=True)
            (archive,) = Path(name).glob("*.tar.gz")
            with tarfile.open(archive) as packed:
                packed.extractall(Path(name) / "unpacked", filter="data")
            (tests,) = Path(name).glob("unpacked/*/test")
            place.parent.mkdir(parents=True, exist_ok=True)
            # In one step, so that a folder that is there is whole.
            subprocess.run(["mv", tests, place], check=True)
    return place
