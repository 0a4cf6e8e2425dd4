"""PMML as types: the elements that this version evaluates, and what may be passed over."""
