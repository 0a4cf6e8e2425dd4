"""Records that several versions are asked about at once: those that read them alike read them once."""

import threading
from collections.abc import Iterable
from typing import Any

from modelstream.wire.json import Decoded, Decoder


class Taken(list[Any]):
    """Records of some rows. Columns that were read of them are shared, and not to be written to."""

    def __init__(self, values: Iterable[Any]) -> None:
        super().__init__(values)
        self._lock = threading.Lock()
        self._read: dict[Any, Decoded] = {}

    def read_by(self, decoder: Decoder) -> Decoded:
        """Read the records, unless one that reads the same fields did. Raises MixedShapes."""
        with self._lock:
            if decoder.key not in self._read:
                as_json = not self or isinstance(self[0], bytes)
                self._read[decoder.key] = (decoder.decode if as_json else decoder.convert)(self)
            return self._read[decoder.key]
