"""The functions that PMML has built in, by kind."""
