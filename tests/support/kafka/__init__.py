"""A real Apache Kafka for tests and benchmarks: one node, on loopback, on free ports."""
