"""The process that has TensorFlow imported: it forks for models.

There is one a process, because it takes half a gigabyte and seconds to start.
"""

from functools import cache

from modelstream.confinement.forker import Forker, Imports
from modelstream.limits import NATIVE_START_SECONDS_MAX

IMPORTS = Imports(
    module="modelstream.formats.tensorflow.native.child",
    environment={
        "CUDA_VISIBLE_DEVICES": "-1",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        # Its kernels give other last digits from one batch size to another.
        "TF_ENABLE_ONEDNN_OPTS": "0",
    },
    what="TensorFlow",
    advice="pip install 'modelstream[tensorflow]'",
    seconds=NATIVE_START_SECONDS_MAX,
)


@cache
def shared_runtime() -> Forker:
    """Return the one of this process; nothing runs before somebody asks it to fork."""
    return Forker(IMPORTS)
