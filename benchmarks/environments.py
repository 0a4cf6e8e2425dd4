"""Environments of the peers: one virtual environment each, below `.envs`, with pinned versions."""

import subprocess
import sys
import venv
from importlib.metadata import version
from pathlib import Path

PEERS = {
    "bytewax": ("bytewax==0.21.1",),
    "quix": ("quixstreams==3.28.1",),
    "faust": ("faust-streaming==0.15.3", "aiokafka[lz4]==0.14.0"),
    "jpmml": ("jpmml_evaluator==0.16.0",),
    "pypmml": ("pypmml==1.5.8", "pandas==3.1.1"),
    # The last version whose requirements this Python meets.
    "titus": ("titus2==1.2.0",),
    "sklearn-pmml-model": ("sklearn-pmml-model==1.0.8",),
    "xgboost": ("xgboost-cpu==3.2.0",),
    "lightgbm": ("lightgbm==4.7.0", "pandas==3.1.1"),
    "mlserver": ("mlserver==1.7.1",),
    "catboost": ("catboost==1.2.10",),
    # 1.5 GB: what the optional extra brings.
    "tensorflow": ("tensorflow-cpu==2.21.0", "keras==3.15.1"),
}
# What `by_hand` needs, in the versions that modelstream runs with.
SHARED = ("msgspec", "numpy", "onnxruntime")
_ROOT = Path(__file__).parent / ".envs"


def python_of(peer: str) -> Path:
    """Return a peer's interpreter; its environment is made when it is missing or outdated."""
    place = _ROOT / peer
    wanted = [*PEERS[peer], *(f"{name}=={version(name)}" for name in SHARED)]
    python, pins = place / "bin" / "python", place / "pins.txt"
    if not pins.is_file() or pins.read_text().split() != wanted:
        sys.stderr.write(f"making the environment of {peer} in {place}\n")
        venv.create(place, clear=True, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "-q", *wanted], check=True)
        pins.write_text("\n".join(wanted) + "\n")
    return python
