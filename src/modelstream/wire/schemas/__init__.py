"""Avro, protobuf and JSON Schema: what a schema is, where it is found, and what is read by it."""
