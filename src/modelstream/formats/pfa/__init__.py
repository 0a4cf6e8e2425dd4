"""PFA: `document` reads, `check` and `forms` compile, `functions` is the library, `model` runs."""

from modelstream.formats.pfa.format import PfaFormat

__all__ = ["PfaFormat"]
