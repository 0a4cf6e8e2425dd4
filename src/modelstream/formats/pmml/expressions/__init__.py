"""Expressions and predicates over fields, as columns and row by row."""
