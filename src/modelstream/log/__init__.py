"""The log: topics of records. `base` says what a log is; each other file is one implementation."""
