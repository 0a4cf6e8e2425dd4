"""Every bound of the system, with its unit in the name and its reason beside it.

A limit that a flow may set for itself is a field of `Flow`; its default stands here.
"""

# -- records and batches ------------------------------------------------------------------------

# Kafka's own default for a message; a larger record is almost always an artifact in disguise.
RECORD_BYTES_MAX = 1024 * 1024
# 32 records already have 95 % of a batch's gain, 1,000 amortise a commit; more only adds latency.
BATCH_RECORDS_MAX = 1000
# Bounds the memory of one turn of the loop when records are large.
BATCH_BYTES_MAX = 16 * 1024 * 1024
# How long a read waits for a first record before the loop looks at the registry again.
POLL_WAIT_MS = 50
# A reject keeps the record's bytes; past this they are cut, and the reject says so.
REJECT_VALUE_BYTES_MAX = 256 * 1024
# Nested fields by dotted path; deeper records are a producer's mistake.
FIELD_PATH_DEPTH_MAX = 16

# -- models -------------------------------------------------------------------------------------

# Bytes of a model inside its descriptor: half of a message, so that envelope and copy fit.
INLINE_BYTES_MAX = 512 * 1024
# The largest artifact that is admitted: past it, loading would be an outage of its own.
ARTIFACT_BYTES_MAX = 256 * 1024 * 1024
# The largest lowered form a child may hand back.
LOWERED_BYTES_MAX = 512 * 1024 * 1024
# Names go into file names, metrics and pages: short, and of plain characters.
NAME_CHARS_MAX = 128
# A signature with more fields than this is refused: it would not fit one registry event.
FIELDS_MAX = 10_000
# Golden records are a smoke test, not a data set.
GOLDEN_RECORDS_MAX = 100
# Versions kept in memory a data type beside those in use, so that a rollback is instant.
VERSIONS_KEPT_LOADED = 1
# A reason is read by people and kept for ever.
REASON_CHARS_MAX = 2_000

# -- admission ----------------------------------------------------------------------------------

# Wall clock for parse, lowering, checks and warm-up of one model in its confined child.
ADMIT_SECONDS_MAX = 30.0
# Address space of that child: onnxruntime maps about 1 GiB before it has read a byte.
ADMIT_MEMORY_BYTES_MAX = 3 * 1024 * 1024 * 1024
# CPU of that child, for a model that spins where the wall clock is not looked at.
ADMIT_CPU_SECONDS_MAX = 30
# Recent records that a new model must be able to score before it is admitted.
REHEARSAL_RECORDS_MAX = 32

# -- the embedded log ---------------------------------------------------------------------------

TOPIC_NAME_CHARS_MAX = 249  # Kafka's own limit, so that a flow moves to Kafka unchanged
PARTITIONS_MAX = 1024
# A point read decodes its whole stored batch, so a stored batch stays small enough for that.
STORED_BATCH_RECORDS_MAX = 1000
STORED_BATCH_BYTES_MAX = 1024 * 1024
# The write-ahead log is folded back into the database past this size.
WAL_BYTES_MAX = 32 * 1024 * 1024
# A member that has not been heard of for this long loses its partitions.
LEASE_MS = 5_000
# How often a waiting reader looks whether another process has written.
TAIL_POLL_MS = 1
# A writer waits this long for another process's transaction before it gives up.
LOCK_WAIT_MS = 30_000

# -- processes ----------------------------------------------------------------------------------

WORKERS_MAX = 256
# A worker that dies is started again after a pause that doubles from the first to the last figure.
RESTART_WAIT_MS_MIN = 100
RESTART_WAIT_MS_MAX = 10_000
# How long a clean stop waits for the batch in hand and the background threads.
STOP_SECONDS_MAX = 10.0
