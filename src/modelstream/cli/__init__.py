"""The command line. `arguments` says what can be written, `main` calls the one function of a verb.

The verbs stand in families: `serving`, `publishing`, `reading`, `sending`, `checking`. What they
print goes through `show`, what they log through `logs`.
"""

from modelstream.cli.main import main

__all__ = ["main"]
