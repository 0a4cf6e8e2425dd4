"""Bytes to messages and back: model descriptors (protobuf), records and results (JSON)."""
