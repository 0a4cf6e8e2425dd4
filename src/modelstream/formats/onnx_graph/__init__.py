"""Models that are ONNX graphs, whatever they came as: checked, bound to columns, run on the CPU.

`lowering` shows the way from a graph to a model. `guard` says what is refused, `graph` what is
edited, `trial` how a batch is proved to be rows, `signature` how tensors get column names, and
`bind` and `model` are what runs for every batch.
"""
