"""The same flow on Apache Flink.

`subtask` is the join as one subtask of an operator runs it and `committer` what writes its answers: both
know nothing of Flink. `operators` hosts them in PyFlink, `job` puts a job together, `serving` runs it.
"""
