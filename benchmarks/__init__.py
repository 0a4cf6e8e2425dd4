"""Benchmarks: what modelstream costs, as ratios to a bare loop that runs beside it.

`python -m benchmarks [NAME ...] [--quick] [--json FILE]`. README.md tells what each figure means.
"""
