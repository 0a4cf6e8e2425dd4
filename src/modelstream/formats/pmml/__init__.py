"""PMML: read in `reader`, declared in `elements`, compiled by `compiler`, run by `model`."""

from modelstream.formats.pmml.format import PmmlFormat

__all__ = ["PmmlFormat"]
