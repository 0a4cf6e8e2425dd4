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
# Registry events and messages of other small topics that are read in one go.
REGISTRY_READ_RECORDS = 1000
# Headers of one result: a digest, a model's name and version, and the names of three topics.
HEADERS_BYTES_MAX = 2 * 1024
# A reject in JSON at its largest: the bytes it keeps as base64, its detail, a key.
REJECT_BYTES_MAX = 2 * REJECT_VALUE_BYTES_MAX
# JSON nested deeper is refused: parsers recurse, and each reader of a result has to manage too.
RECORD_DEPTH_MAX = 512
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
# How far back a data type can be rolled; older promotions are history, not a way back.
ROLLBACK_DEPTH_MAX = 100
# A reason is read by people and kept for ever.
REASON_CHARS_MAX = 2_000
# What a publisher writes about a model, beside the model itself.
DESCRIPTION_CHARS_MAX = 10_000
LOCATION_CHARS_MAX = 2_048
METRICS_MAX = 100
# Of a SavedModel; of a frozen graph it lists the nodes to feed and to fetch, with their long names.
SIGNATURE_NAME_CHARS_MAX = 4_096
# Names of columns come from data sets, and some are whole questions of a survey.
FIELD_NAME_CHARS_MAX = 1_024
# One row of a tensor: a record of 1 MiB cannot hold more values, nor can a result.
TENSOR_VALUES_MAX = 1024 * 1024
# An ONNX graph with its functions expanded; the largest published language models have 20,000.
ONNX_NODES_MAX = 100_000
# Loops inside branches inside loops: real models stop at 3.
ONNX_SUBGRAPH_DEPTH_MAX = 8
# Models whose records are read from dicts by turns (`score_rows`): a reader takes some 10 KB.
ROW_READERS_MAX = 64

# -- admission ----------------------------------------------------------------------------------

# Wall clock for parse, lowering, checks and warm-up of one model in its confined child.
ADMIT_SECONDS_MAX = 30.0
# Address space of that child: onnxruntime maps about 1 GiB before it has read a byte.
ADMIT_MEMORY_BYTES_MAX = 3 * 1024 * 1024 * 1024
# CPU of that child, for a model that spins where the wall clock is not looked at.
ADMIT_CPU_SECONDS_MAX = 30
# Recent records that a new model must be able to score before it is admitted.
REHEARSAL_RECORDS_MAX = 32
# How many of a partition's last records are looked at for those of one data type.
REHEARSAL_SCAN_RECORDS_MAX = 1_000
# Bytes of the versions that a pipeline refers to, in their lowered forms, all together.
PIPELINE_REFERENCED_BYTES_MAX = 256 * 1024 * 1024
# What the confined child may be sent: an artifact, what it refers to, rehearsal and golden records.
CHECK_REQUEST_BYTES_MAX = (
    ARTIFACT_BYTES_MAX
    + PIPELINE_REFERENCED_BYTES_MAX
    + (REHEARSAL_RECORDS_MAX + 2) * RECORD_BYTES_MAX
)
# What it may answer: a lowered form, and the names of FIELDS_MAX columns.
CHECK_VERDICT_BYTES_MAX = LOWERED_BYTES_MAX + 16 * RECORD_BYTES_MAX
# Importing onnxruntime takes a fraction of a second; a machine that swaps may need this long.
JAIL_START_SECONDS_MAX = 60.0
# Between a child's deadline and the moment when the process that should have ended it is ended.
JAIL_GRACE_SECONDS_MAX = 2.0

# Functions that a flow registers for its pipelines: written by hand, one a line.
FUNCTIONS_MAX = 100

# -- remote models ------------------------------------------------------------------------------

# How long a batch may take at its server, retry included, unless the flow says otherwise.
REMOTE_TIMEOUT_MS = 2_000
# What a flow may allow: while a batch is at a server no lease is renewed, so it must end well
# before LEASE_MS.
REMOTE_TIMEOUT_MS_MAX = 3_500
# Servers that a flow may name.
REMOTE_HOSTS_MAX = 100
# What a server may tell of a model: the names of FIELDS_MAX tensors.
REMOTE_METADATA_BYTES_MAX = 4 * 1024 * 1024
# What it may answer to one request: the answers to BATCH_BYTES_MAX of records, in many digits.
REMOTE_RESPONSE_BYTES_MAX = 64 * 1024 * 1024
# Values of one request; a batch with more is asked for in parts. In JSON they are some 20 MB.
REMOTE_REQUEST_VALUES_MAX = 1024 * 1024
# Connections kept open to a server: one a thread that scores.
REMOTE_IDLE_CONNECTIONS_MAX = 8
# Failures in a row after which a server is let alone, and for how long.
REMOTE_FAILURES_MAX = 3
REMOTE_OPEN_SECONDS = 1.0
# Records whose model's server is away are tried again after a pause that doubles from the first to
# the last figure: a restart is hardly noticed, a long absence costs nothing.
AWAY_RETRY_MS_MIN = 50
AWAY_RETRY_MS_MAX = 5_000

# -- models in processes of their own -----------------------------------------------------------

# Importing TensorFlow takes three seconds, or ten where nothing is compiled yet.
NATIVE_START_SECONDS_MAX = 60.0
# Making a session of a graph, with its variables and tables.
NATIVE_OPEN_SECONDS_MAX = 30.0
# One batch: below a lease, so that a batch that never ends is rejected here, and not handed from
# one member to the next.
NATIVE_SCORE_SECONDS_MAX = 4.0
# Address space of such a process: TensorFlow maps 1 GiB before it has read a byte.
NATIVE_MEMORY_BYTES_MAX = 6 * 1024 * 1024 * 1024
# A graph with its variables, or the tensors of a batch.
NATIVE_FRAME_BYTES_MAX = 2 * ARTIFACT_BYTES_MAX

# -- the embedded log ---------------------------------------------------------------------------

TOPIC_NAME_CHARS_MAX = 249  # Kafka's own limit, so that a flow moves to Kafka unchanged
PARTITIONS_MAX = 1024
# A point read decodes its whole stored batch, so a stored batch stays small enough for that.
STORED_BATCH_RECORDS_MAX = 1000
STORED_BATCH_BYTES_MAX = 1024 * 1024
# The database's write-ahead log is folded back into it past this size; a fold stops the writers,
# so it is done often, when there is little to fold.
WAL_BYTES_MAX = 1024 * 1024
# A segment file that has reached this size is followed by a new one; retention frees whole segments.
SEGMENT_BYTES_MAX = 64 * 1024 * 1024
# Segment files that a process holds open, of those it writes and of those it reads.
SEGMENT_FILES_OPEN_MAX = 64
# A member that has not been heard of for this long loses its partitions.
LEASE_MS = 5_000
# How often a waiting reader looks whether another process has written: at once in a busy log, and
# seldom in one where nothing has been written for a second, because looking costs a processor.
TAIL_POLL_MS_MIN = 1
TAIL_POLL_MS_MAX = 20
TAIL_BUSY_MS = 1000
# A writer waits this long for another process's transaction before it gives up.
LOCK_WAIT_MS = 30_000
# Between two looks at the lock a waiting writer sleeps, from the first to the last figure: short
# beside a transaction, so that nobody starves behind a busy writer.
LOCK_RETRY_US_MIN = 50
LOCK_RETRY_US_MAX = 1_000
# A member renews its lease this often, so that four lost heartbeats do not cost its partitions.
HEARTBEAT_MS = 1_000
# Members of one consumer group; the same as the workers of one flow.
GROUP_MEMBERS_MAX = 256
# Each commit writes some pages of the index whole, so they are small.
DATABASE_PAGE_BYTES = 4 * 1024
# Page cache of each of a process's two connections: the pages of the index that are in use.
DATABASE_CACHE_BYTES = 4 * 1024 * 1024
# A checkpoint waits this long for readers, and otherwise leaves its work to a later one.
CHECKPOINT_WAIT_MS = 100
# Time stamps are signed 64-bit integers in SQLite, as they are in Kafka.
TIMESTAMP_MS_MAX = 2**63 - 1
# The largest bytes kept by digest: a lowered form.
BLOB_BYTES_MAX = LOWERED_BYTES_MAX
# What a killed process was writing beside the topics is swept away when nobody can be at it still.
BLOB_PART_SECONDS_MAX = 3_600
# Topics that an error message lists; more would hide the message.
TOPICS_SHOWN_MAX = 20

# -- processes ----------------------------------------------------------------------------------

WORKERS_MAX = 256
# A thread that loads or admits a model gives the interpreter back after this long to one that
# scores. Python's own 5 ms would be lost at every read, score and write of a batch.
SWITCH_SECONDS = 0.0005
# A worker that dies is started again after a pause that doubles from the first to the last figure.
RESTART_WAIT_MS_MIN = 100
RESTART_WAIT_MS_MAX = 10_000
# One that lived for so long was no failed start: the pause before the next is the first again.
RESTART_SETTLED_SECONDS = 5.0
# While the brokers of a log are away, those who serve a flow ask again after a pause that doubles
# from the first to the last figure, and give up after so long: longer than any restart takes.
LOG_RETRY_SECONDS_MIN = 0.1
LOG_RETRY_SECONDS_MAX = 5.0
LOG_AWAY_SECONDS_MAX = 300.0
# How long a clean stop waits for the batch in hand and the background threads.
STOP_SECONDS_MAX = 10.0
# A version that could not be loaded is tried again after this pause; the one before it serves on.
RETRY_LOAD_SECONDS = 5.0

# -- the command line ---------------------------------------------------------------------------

# A value that a message quotes; more would hide the message.
SHOWN_CHARS_MAX = 40
# How long a publisher waits for the verdict on its own; an admitter needs about a second.
VERDICT_WAIT_SECONDS = 5.0
# How often the live status of `serve` is drawn anew: fast enough to watch, no load.
STATUS_SECONDS = 0.5
# How often `tail --follow` and the registry's watcher look for what is new.
FOLLOW_SECONDS = 0.1
# Records that `tail` shows unless told otherwise: a screen's worth, with room for the prompt.
TAIL_RECORDS = 10
# What `tail` may be asked for: it sorts them by time, in memory.
TAIL_RECORDS_MAX = 10_000
# A record in a line for people; `--json` has all of it.
LINE_CHARS_MAX = 400
# `send --rate` appends what falls due in this time at once.
SEND_STEP_SECONDS = 0.1
# What `show` draws of anything; more would hide the rest, and `--json` has all of it.
DRAWN_FIELDS_MAX = 40
DRAWN_PARTS_MAX = 8
DRAWN_VALUES_MAX = 6

# -- audits -------------------------------------------------------------------------------------

# Findings of one invariant that a report tells in full; the others are counted.
AUDIT_FINDINGS_MAX = 100
# Versions that an audit keeps in memory: more than a partition's records alternate between.
AUDIT_VERSIONS_LOADED_MAX = 8
# Runs of records without an outcome that may still come, late; a sound log has none of them.
AUDIT_GAPS_MAX = 10_000
# Outcomes of a partition that an audit holds at a time: a step's own, and as many that are amiss.
AUDIT_OUTCOMES_MAX = 2 * BATCH_RECORDS_MAX
# Outcomes that `explain` looks at one after the other before it halves what is left.
AUDIT_SCAN_RECORDS = 64
# Records whose answers differ that a replay shows.
REPLAY_SAMPLE_MAX = 20
# Pairs of an old and a new label that a replay counts apart; a label with more is an identifier.
REPLAY_LABEL_PAIRS_MAX = 1_000

# -- the demo -----------------------------------------------------------------------------------

# For one step of the story; where nothing is wrong it takes a second or two.
DEMO_STEP_SECONDS_MAX = 90.0

# -- Kafka --------------------------------------------------------------------------------------

# One question to the brokers, or the end of one transaction: past it, something is down.
KAFKA_CALL_SECONDS = 30.0
# A record with its key and headers in a batch of one; Kafka's default leaves no room for those.
KAFKA_MESSAGE_BYTES_MAX = 2 * RECORD_BYTES_MAX
# What Kafka adds to the one record of a batch: the batch's head, lengths, and room for header counts.
KAFKA_BATCH_OVERHEAD_BYTES = 256
# Fetched ahead of the join by one member.
KAFKA_FETCH_BYTES_MAX = 64 * 1024 * 1024
# Without a heartbeat for so long a member is dead; its partitions go to others.
KAFKA_SESSION_MS = 10_000
# A member that asks for nothing for so long is put out of its group; the keeper asks meanwhile.
KAFKA_POLL_INTERVAL_MS = 60_000
# How often a consumer asks whether its topics are there, and where: one small question.
KAFKA_TOPICS_MS = 10_000
# The brokers abort a transaction that was left open for so long; ours are open for milliseconds.
KAFKA_TRANSACTION_MS = 30_000
# The first pause before brokers that still mark the transaction before are asked again: marking takes
# a millisecond or two, and a record's answer waits for it.
KAFKA_TRANSACTION_RETRY_MS = 2
# The first question to a cluster: a person waits for it, and brokers at the address answer at once.
KAFKA_REACH_SECONDS = 4.0
# An error in the background is logged again when it was not met for so long: it is a new one then.
KAFKA_TELL_SECONDS = 60.0
# At its end a producer waits so long to abort what failed; the brokers do it a little later anyway.
KAFKA_ABORT_SECONDS = 5.0
# More than a call is given, as this one may not keep to what it is given; the producer is left then.
KAFKA_SEND_OFFSETS_SECONDS = KAFKA_CALL_SECONDS + 5.0
# Each is a hung thread with its client's threads and buffers.
KAFKA_PRODUCERS_ABANDONED_MAX = 8
# How long one commit is tried again while brokers come and go, before the instance gives up.
KAFKA_COMMIT_SECONDS_MAX = 120.0
# How long a commit that meets a rebalance is tried again under the new generation; past that its
# records are delivered again.
KAFKA_REBALANCE_SECONDS_MAX = 2.0
# Readers of single partitions that are kept open by one log: each holds threads and buffers.
KAFKA_READERS_MAX = 8
# Options of librdkafka's that a flow may set.
KAFKA_OPTIONS_MAX = 100
# A chunk of an artifact in one record, below what any broker takes by default.
KAFKA_CHUNK_BYTES = 900 * 1000

# -- exporting ----------------------------------------------------------------------------------

# How far a converted model may be from its estimator, relative for numbers above 1: float32 holds
# seven digits, and sums of a thousand trees or products lose two or three of them.
EXPORT_TOLERANCE = 1e-4
# Some of float32's steps at a number (one is 6e-8 of it): what lies so near a split may change sides.
EXPORT_NUDGE = 1e-6
# Rows that are compared; more are a test set, which `replay` is for.
EXPORT_SAMPLE_RECORDS_MAX = 10_000
# Rows that an error message names.
EXPORT_ROWS_SHOWN_MAX = 10

# -- answer policies ----------------------------------------------------------------------------

# Versions that one policy may ask: each of them scores every record.
CANDIDATES_MAX = 16
# Policies inside policies; what people can still follow ends at 3 or 4.
POLICY_DEPTH_MAX = 8
# A policy as text: it stands in flow.toml, and in an event of the registry.
POLICY_TEXT_CHARS_MAX = 8 * 1024
# Comparisons of one condition; each is worked out for every record.
PREDICATE_TERMS_MAX = 32
# A candidate is left out once it has missed so many batches in a row, for so long: one call that takes
# its time makes many small batches miss.
BREAKER_MISSES = 5
BREAKER_PATIENCE_US = 500_000.0
# Then it is tried again after a second, and after twice as long each time it misses that too.
BREAKER_PAUSE_US_MIN = 1_000_000.0
BREAKER_PAUSE_US_MAX = 60_000_000.0
# Turns that wait for their candidates at once; with as many, no further records are read.
TURNS_IN_FLIGHT_MAX = 64
# Between two reads while turns are in flight: a turn costs more than what it answers below that.
FLIGHT_WAIT_MS = 1.0
# Asks that wait for one candidate; more are not waiting but lost.
ASKS_WAITING_MAX = 2 * TURNS_IN_FLIGHT_MAX
# A score call that takes longer hangs: its executor is left behind, or ended, and replaced.
SCORE_SECONDS_MAX = 30.0
# Executors left behind by one version; past it, the version fails at once.
EXECUTORS_LEFT_MAX = 4

# -- quality ------------------------------------------------------------------------------------

# Classes of a classifier that are counted apart: more are no classes, or a field gone wrong.
LABEL_CLASSES_MAX = 100
# Bins of a probability: the area under a curve is exact to a thousandth.
PROBABILITY_BINS = 1000
# Labels that are held while results are read: some 200 bytes each.
LABELS_KEPT_MAX = 2_000_000
# Pairs of answers of two versions that are counted apart.
AGREEMENT_PAIRS_MAX = 1000

# -- quality and releases -------------------------------------------------------------------------

# Labels, or records, by which a version is judged at the least: with fewer chance decides.
JUDGED_LABELS_MIN = 100
JUDGED_RECORDS_MIN = 100
# Steps of a release.
RELEASE_STEPS_MAX = 20
# What a release is that says nothing else: shares of the keys, records at each, and when it fails.
RELEASE_STEPS = (0.01, 0.1, 0.5)
RELEASE_EVERY = 1_000
RELEASE_ROLL_BACK = "errors > 1 %"
# Records by which drift is told at the least: with fewer the index is above 0.05 by chance alone.
DRIFT_RECORDS_MIN = 500
# Columns that are watched for drift, and classes of one that are counted apart.
PROFILE_COLUMNS_MAX = 100
PROFILE_CLASSES_MAX = 20
# Parts of equal weight into which a profile divides a column of numbers.
PROFILE_PARTS = 20
# Records of a profile, which are held until it is made: some 100 bytes each column.
PROFILE_RECORDS_MAX = 100_000
# Results that wait for a label, and labels that wait for a result: some 1 KiB each.
LABEL_JOIN_MAX = 200_000
# Characters of what a report, or a release's order, says: some hundred versions and columns.
ORDER_CHARS_MAX = 500_000
# How long the monitor sleeps where there is nothing to read.
MONITOR_WAIT_SECONDS = 0.2

# -- versions in processes of their own ------------------------------------------------------------

# Memory that a parent and its child both see; only what is used of it is ever there. A batch that is
# larger is asked for in parts.
ISOLATED_MEMORY_BYTES = 64 * 1024 * 1024
# Address space of such a process, in which libraries have mapped 1 GiB before a model is loaded.
ISOLATED_ADDRESS_BYTES_MAX = 8 * 1024 * 1024 * 1024
# A version's lowered form, or columns of text.
ISOLATED_FRAME_BYTES_MAX = 2 * ARTIFACT_BYTES_MAX
# Loading and warming up a version that was admitted.
ISOLATED_OPEN_SECONDS_MAX = 30.0
# Processes that one score call may lose while it looks for the record that ends them.
ISOLATED_DEATHS_MAX = 30

# -- Flink ------------------------------------------------------------------------------------------

# How long a job waits for partitions that another member had: longer than a lease.
OWNER_SECONDS_MAX = 30.0
# A lowered form up to this size is kept in Flink's state, in each subtask; a larger one is read from
# the log's blobs again.
STATE_ARTIFACT_BYTES_MAX = 4 * 1024 * 1024
# The pause of a partition whose end was reached, and of one whose records wait.
FLINK_IDLE_MS = 10
