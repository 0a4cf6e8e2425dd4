"""`modelstream demo`: the whole story of a flow, on real data, as a check of itself.

`run` is all that others need. What tells the story is imported when it is asked for: it needs the
packages of the extra `demo`, which serving does not.
"""

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from modelstream.errors import ModelstreamError

_NEEDED = ("sklearn", "skl2onnx", "onnx")


def run(*, keep: Path | None = None, seconds: float | None = None, live: bool | None = None) -> int:
    """Tell the story; return 0 where all of it held, 1 where something did not.

    `keep` is the directory that the log and the models stay in; without one they are removed.
    `seconds` is about how long records stream; `live` draws one screen instead of plain lines, by
    default on a terminal. Raises ModelstreamError (packages missing, directory in use).
    """
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        raise ModelstreamError(
            f"the demo trains models, and needs {', '.join(missing)} for it; "
            "install them: pip install 'modelstream[demo]'"
        )
    held: bool = import_module("modelstream.demo.program").tell(keep, seconds, live)
    return 0 if held else 1
