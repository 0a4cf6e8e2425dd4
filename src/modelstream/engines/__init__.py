"""The shells that drive the core: they have the clock, the threads and the log; it decides.

`loaded` is one version in memory, `loader` brings versions there, `shell` drives the machine for a
batch, `embedded` is the loop over a log, `library` the join of two iterables without a log.
"""
