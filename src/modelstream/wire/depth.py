"""How deep a JSON text is nested, found without parsing it."""

import re

from modelstream.limits import RECORD_DEPTH_MAX

# No JSON text of fewer bytes can be nested deeper than RECORD_DEPTH_MAX.
SUSPECT_BYTES = 2 * RECORD_DEPTH_MAX
_TOKENS = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[{\]}]', re.DOTALL)


def too_deep(text: bytes) -> bool:
    """Tell whether a JSON text is nested deeper than RECORD_DEPTH_MAX.

    A text that opens too little for that is told at once. One that never closes what it opens is
    no JSON, whatever its depth.
    """
    if text.count(b"{") + text.count(b"[") <= RECORD_DEPTH_MAX:
        return False
    depth = 0
    for token in _TOKENS.finditer(text):
        first = text[token.start()]
        if first in b"[{":
            depth += 1
            if depth > RECORD_DEPTH_MAX:
                return True
        elif first in b"]}":
            depth -= 1
    return False
