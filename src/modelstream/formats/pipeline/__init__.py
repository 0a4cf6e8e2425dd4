"""Pipelines: a model made of models, and of small transforms between them.

Read `document` first: what a publisher writes. `lowering` makes of it the plain data of `steps`;
`build` binds the steps to columns (`scope`), and `model` runs them.
"""

from modelstream.formats.pipeline.format import PipelineFormat

__all__ = ["PipelineFormat"]
