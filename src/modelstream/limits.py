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
# Names of columns come from data sets, and some are whole questions of a survey.
FIELD_NAME_CHARS_MAX = 1_024
# One row of a tensor: a record of 1 MiB cannot hold more values, nor can a result.
TENSOR_VALUES_MAX = 1024 * 1024
# An ONNX graph with its functions expanded; the largest published language models have 20,000.
ONNX_NODES_MAX = 100_000
# Loops inside branches inside loops: real models stop at 3.
ONNX_SUBGRAPH_DEPTH_MAX = 8

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

# -- the embedded log ---------------------------------------------------------------------------

TOPIC_NAME_CHARS_MAX = 249  # Kafka's own limit, so that a flow moves to Kafka unchanged
PARTITIONS_MAX = 1024
# A point read decodes its whole stored batch, so a stored batch stays small enough for that.
STORED_BATCH_RECORDS_MAX = 1000
STORED_BATCH_BYTES_MAX = 1024 * 1024
# The database's write-ahead log is folded back into it past this size; a fold stops the writers,
# so it is done often, when there is little to fold.
WAL_BYTES_MAX = 4 * 1024 * 1024
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
# How long a clean stop waits for the batch in hand and the background threads.
STOP_SECONDS_MAX = 10.0
# A version that could not be loaded is tried again after this pause; the one before it serves on.
RETRY_LOAD_SECONDS = 5.0

# -- PMML ---------------------------------------------------------------------------------------

# Elements of one document: an artifact of the largest size with small elements has about as many.
PMML_ELEMENTS_MAX = 5_000_000
# Nested elements: the deepest trees of real forests are some hundred nodes deep.
PMML_DEPTH_MAX = 1_000
# Rows of all tables of one document: a look-up per user is a database, not a model.
PMML_TABLE_ROWS_MAX = 200_000
# Computations that stand on each other: each takes up to six of Python's 1,000 call frames.
PMML_EXPRESSION_DEPTH_MAX = 128
# Function calls of one document with its functions expanded: doubling functions stop here.
PMML_CALLS_MAX = 20_000
# A string that a function makes: fields that double a string stop here, not at the memory's end.
PMML_STRING_CHARS_MAX = 32_768
# A regular expression; the longest seen are alternations of stop words.
PMML_PATTERN_CHARS_MAX = 10_000
# Steps that matching one pattern with one text may take at worst: some tenths of a second.
PMML_PATTERN_STEPS_MAX = 20_000_000
# A pattern whose bound allows only shorter texts than this is refused.
PMML_PATTERN_TEXT_CHARS_MIN = 128
# Times that a recursive normalization of a text is repeated until nothing changes.
PMML_NORMALIZATION_PASSES_MAX = 100
# Letters that a word may differ by from a term that a text is searched for: spelling mistakes.
PMML_EDIT_DISTANCE_MAX = 8
# Binary tests of one forest: the kernel holds some 60 bytes for each.
TREE_TESTS_MAX = 5_000_000
# Trees of one ensemble: a batch of 1,000 rows takes some 30 KB for each.
TREES_MAX = 10_000
# Tests from a root to a leaf: the kernel loads trees by recursion and fits ten times as many.
TREE_DEPTH_MAX = 2_000
# Columns that decide a tree node outside the forest: each is computed for every row of a batch.
PMML_CHOICES_MAX = 1_000
# Predicates outside the forests: each costs a batch of 1,000 rows some 10 microseconds.
PMML_PREDICATES_MAX = 20_000
# Models inside models that cannot be made one forest: each loads in some 0.2 milliseconds.
PMML_MODELS_MAX = 5_000
# Numbers of one table that a model holds, as of leaves and labels, or of vectors: 128 MiB.
PMML_TABLE_CELLS_MAX = 16 * 1024 * 1024
# Clusters of one model: a batch of 1,000 rows takes some 8 KB for each.
PMML_CLUSTERS_MAX = 10_000
# Association rules of one model: a batch of 1,000 rows takes some 2 KB for each.
PMML_RULES_MAX = 20_000
# Characters of all association rules in words: each repeats the items of its two sides.
PMML_RULE_CHARS_MAX = 32 * 1024 * 1024
# Numbers of one ensemble in memory at once; a batch with more is combined in parts: 64 MiB.
PMML_ENSEMBLE_CELLS_MAX = 8 * 1024 * 1024
# Scopes around a field: a model inside a model takes three, and each some of Python's call frames.
PMML_SCOPES_MAX = 48
# Sessions of one document: each holds some 100 KB, and loads in about a millisecond.
PMML_KERNELS_MAX = 2_000
# Documents that a text is compared with: a batch of 1,000 rows takes some 16 KB for each.
PMML_TEXT_DOCUMENTS_MAX = 10_000
# Nodes of a Bayesian network: a record that misses other inputs than those with it takes some 40
# microseconds a node.
PMML_NETWORK_NODES_MAX = 200
# Parents of one node that are compared with values: each is an axis of a table.
PMML_NETWORK_PARENTS_MAX = 30
# Distributions of one continuous node: each is evaluated for every row of a batch.
PMML_NETWORK_DENSITIES_MAX = 1_000
# Cells of the largest table that inference in a network needs for a record: 512 KiB.
PMML_FACTOR_CELLS_MAX = 65_536

# -- tree libraries -------------------------------------------------------------------------------

# Features of one model: a batch of 1,000 rows takes 8 KB for each.
TREE_FEATURES_MAX = 100_000
# Classes or targets of one model: each is an output column.
TREE_SUMS_MAX = 10_000
# What LightGBM takes for zero: up to the float32 that is nearest to 1e-35.
LIGHTGBM_ZERO = 1.0000000180025095e-35
# Words of 32 categories in one set: two million categories, and 2 MB while they are told apart.
LIGHTGBM_SET_WORDS_MAX = 65_536
# Members of all sets of one model: the kernel holds some 130 bytes for each.
TREE_MEMBERS_MAX = 2_000_000
# Hashes of texts that an input remembers: a hash takes some microseconds, an entry 200 bytes.
CATBOOST_HASHES_MAX = 10_000
# Tests from the root to a leaf of a symmetric tree, which has twice the leaves with each of them.
CATBOOST_DEPTH_MAX = 16
# Numbers in the tables of one model, for each category or combination of them: 80 MB.
CATBOOST_TABLE_ENTRIES_MAX = 10_000_000

# -- TensorFlow ---------------------------------------------------------------------------------

# Functions that call each other: a function inside each layer of each model of a model.
TENSORFLOW_CALL_DEPTH_MAX = 64
# Files of a SavedModel: its graph, its shards of variables, its vocabularies.
SAVED_MODEL_FILES_MAX = 1_000

# -- pipelines ----------------------------------------------------------------------------------

# A pipeline that is longer is a program; a pipeline in it has as many steps of its own.
PIPELINE_STEPS_MAX = 100
# Pipelines in pipelines: one that combines others, each of which may be one.
PIPELINE_DEPTH_MAX = 2
# A document, with the models inside it; it is also read, for its references, outside the jail.
PIPELINE_BYTES_MAX = 64 * 1024 * 1024
# Versions that a pipeline refers to: as many as it may well have steps that are models.
PIPELINE_REFERENCES_MAX = 32
# Columns that a step encodes one category each in.
PIPELINE_CATEGORIES_MAX = 1_000
# An expression that people can read; a longer one becomes columns of its parts.
EXPRESSION_CHARS_MAX = 2_000
# Parentheses in parentheses: each takes ten of Python's 1,000 call frames.
EXPRESSION_DEPTH_MAX = 30
# Values of one call of `min` or `max`.
EXPRESSION_ARGUMENTS_MAX = 100

# -- descriptions of models ---------------------------------------------------------------------

# Models inside a model that its description lists; more are counted.
DESCRIBED_PARTS_MAX = 20
# What `show` draws of anything; more would hide the rest, and `--json` has all of it.
DRAWN_FIELDS_MAX = 40
DRAWN_PARTS_MAX = 8
DRAWN_VALUES_MAX = 6

# -- PFA ----------------------------------------------------------------------------------------

# Turns of loops and calls of functions for one record: some 0.1 s, where real models take 1,000.
PFA_STEPS_MAX = 100_000
# Items, characters or bytes that one call may make: a loop that doubles a list stops here.
PFA_ITEMS_MAX = 1_000_000
# Expressions in expressions: each takes up to six of Python's 1,000 call frames.
PFA_EXPRESSION_DEPTH_MAX = 100
# Alternatives that a regular expression is tried with; the longest seen split words.
PFA_PATTERN_CHARS_MAX = 1_000
# Lists of trees that one call keeps tables of; a document with more walks them node by node.
PFA_FORESTS_MAX = 100
# Tests from a root to a leaf: all rows take as many steps as the deepest leaf needs.
PFA_DECISION_DEPTH_MAX = 200
# Numbers of a table of trees in memory at once; a batch with more goes in parts: 32 MiB.
PFA_FOREST_CELLS_MAX = 4 * 1024 * 1024
# Tests of a forest that is walked in Python for one row: each takes some 150 bytes.
PMML_WALKED_TESTS_MAX = 20_000
# Steps of such a walk, as balanced trees would take them, in which the kernel answers, too.
PMML_WALKED_STEPS_MAX = 100
# Neurons of a layer, and connections of neurons with the same sources, that are computed one by
# one for one row: beyond them NumPy's calls are faster.
PMML_NEURONS_ONE_BY_ONE_MAX = 32
PMML_CONNECTIONS_ONE_BY_ONE_MAX = 80
# Rows of a batch up to which each is scored by itself. The columns cost some 100 NumPy calls however
# few they are; measured (`benchmarks pmml_rows`), they overtake between 8 rows, of a neural net, and
# some 30, of a regression.
PMML_ROWS_MAX = 8
# The same for a model with a forest that its kernel runs, which costs some 6 us a call: measured,
# the columns overtake it between 4 rows and 8.
PMML_ROWS_WITH_KERNEL_MAX = 4

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
