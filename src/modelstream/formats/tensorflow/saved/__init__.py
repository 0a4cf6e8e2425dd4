"""SavedModels as archives.

`archive` unpacks them, `bundle` reads the variables, `restore` tells which variable has which
value, and `signature` which part of the graph is served.
"""
