"""The peers' side of the `peers` benchmark: each module runs in an environment of its own.

They import nothing of modelstream, and score with the very functions of `benchmarks.by_hand`.
"""
