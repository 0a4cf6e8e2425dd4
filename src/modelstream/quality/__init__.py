"""How good answers were, once it is known what they should have been: labels joined with results.

`labels` reads what is known, `metrics` counts, `measure` puts both together for a flow's topics.
"""
