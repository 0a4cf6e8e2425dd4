"""What a schema, and a record that is written by one, may ask for; each bound with its reason."""

from modelstream.limits import FIELDS_MAX, RECORD_BYTES_MAX

# One schema as a registry or a file has it; the largest in public use have some 100 KB.
SCHEMA_BYTES_MAX = 1024 * 1024
# One question to a Schema Registry: while it is asked no lease is renewed.
SCHEMA_REGISTRY_SECONDS = 2.0
# Other schemas that one may be made of.
SCHEMA_REFERENCES_MAX = 32
# Questions that records may cause in a second; ids are the producers' to invent.
SCHEMA_LOOKUPS_PER_SECOND_MAX = 32
# Schemas kept ready to read by: producers of a few versions, in a few kinds of records.
SCHEMAS_KEPT_MAX = 1_000
# An id that the registry did not know is asked for again after so long, and so many are kept.
SCHEMA_UNKNOWN_SECONDS = 30.0
SCHEMAS_UNKNOWN_KEPT_MAX = 10_000
# Messages inside messages that an index of Confluent's wire format may name.
MESSAGE_INDEXES_MAX = 16
# Values of one Avro record beside what its lists and maps hold: as many as a model may read.
AVRO_NODES_MAX = FIELDS_MAX
# Values that one byte of a list or map may bring; a union has two a byte, and an empty record many.
AVRO_NODES_PER_BYTE_MAX = 16
# A decimal of 128 bytes has 300 digits; work grows with their square.
AVRO_DECIMAL_BYTES_MAX = 128
# Fields of all messages in one protobuf record: a field that is not set takes no bytes.
PROTOBUF_VALUES_MAX = RECORD_BYTES_MAX
