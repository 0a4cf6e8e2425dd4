"""Graphs that cannot be rewritten as ONNX, run by TensorFlow itself in a confined process.

`lowering` decides and `part` cuts out what may run, by the list in `operators`; `form` is what is
kept. `model` loads it: `session` speaks `messages` with a process that `runtime` forked, where
`child` runs the graph. The serving process itself never imports TensorFlow.
"""
