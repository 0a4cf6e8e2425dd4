"""Every bound of the formats, with its unit in the name and its reason beside it.

Those of the rest of the system are in `modelstream.limits`.
"""

# -- PMML ---------------------------------------------------------------------------------------

# Elements of one document: an artifact of the largest size with small elements has about as many.
PMML_ELEMENTS_MAX = 5_000_000
# Elements that are passed over: extensions, statistics of the training data, documentation. Some
# producers write three a tree node.
PMML_SKIPPED_MAX = 1_000_000
# The text of one element: an array of 200,000 numbers with all their digits.
PMML_TEXT_CHARS_MAX = 4 * 1024 * 1024
# Nested elements: the deepest trees of real forests are some hundred nodes deep.
PMML_DEPTH_MAX = 1_000
# Rows of all tables of one document: a look-up per user is a database, not a model.
PMML_TABLE_ROWS_MAX = 200_000
# Segments of one document, ensembles in ensembles included: a boosting of 50 classes in 1,000 rounds
# has as many, and each is read and lowered in some 20 microseconds.
PMML_SEGMENTS_MAX = 50_000
# Computed fields of one document: a field for each word of a large vocabulary.
PMML_DERIVED_FIELDS_MAX = 50_000
# Functions that a document defines: a library of them has some hundred.
PMML_FUNCTIONS_MAX = 10_000
# Bins of all fields of one document: 1,000 fields with 50 bins each.
PMML_BINS_MAX = 50_000
# Outputs of all models of one document: as many for each of 5,000 models as probabilities of
# four classes are; each takes some 60 microseconds.
PMML_OUTPUT_FIELDS_MAX = 20_000
# RegressionTables of one document: 5,000 models of ten classes each.
PMML_EQUATIONS_MAX = 50_000
# Arguments of one function call: a sum of as many words' weights.
PMML_ARGUMENTS_MAX = 10_000
# Columns of a table, of which a row names each: as many as a model may have inputs.
PMML_COLUMNS_MAX = 10_000
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
# Tests of a forest that is walked in Python for one row: each takes some 150 bytes.
PMML_WALKED_TESTS_MAX = 20_000
# Steps of such a walk, as balanced trees would take them, in which the kernel answers, too.
PMML_WALKED_STEPS_MAX = 100
# Neurons of a layer, and connections of neurons with the same sources, that are computed one by
# one for one row: beyond them NumPy's calls are faster.
PMML_NEURONS_ONE_BY_ONE_MAX = 32
PMML_CONNECTIONS_ONE_BY_ONE_MAX = 80
# Rows of a batch up to which each is scored by itself. The columns cost some 100 NumPy calls however
# few they are; measured, they overtake between 6 rows, of a neural net, and some 24, of a
# regression.
PMML_ROWS_MAX = 8
# The same for a model with a forest that its kernel runs, which costs some 6 us a call: measured,
# the columns overtake it between 4 rows and 8.
PMML_ROWS_WITH_KERNEL_MAX = 4
# The same for records, which have to be made columns first: measured, the columns overtake at some
# 12 of a neural net or a forest, and at 30 to 100 of a regression.
PMML_RECORDS_MAX = 10
# Declared values of a field of strings that are known beforehand, so that what an expression makes of
# them is kept from batch to batch: eight bytes each for every expression on the field.
PMML_LASTING_VALUES_MAX = 256

# -- tree libraries -------------------------------------------------------------------------------

# Features of one model: a batch of 1,000 rows takes 8 KB for each.
TREE_FEATURES_MAX = 100_000
# Classes or targets of one model: each is an output column.
TREE_SUMS_MAX = 10_000
# What LightGBM takes for zero: up to the float32 that is nearest to 1e-35.
LIGHTGBM_ZERO = 1.0000000180025095e-35
# Words of 32 categories in one set: two million categories, and 2 MB while they are told apart.
LIGHTGBM_SET_WORDS_MAX = 65_536
# Rows, and tests for each feature, from which on rows are sorted before trees run: measured on a forest
# of 71 trees, it takes a tenth off 1,000 rows, and to sort fewer than 200 costs as much as it gains.
TREE_ROWS_SORTED_MIN = 200
TREE_TESTS_A_FEATURE_SORTED_MIN = 200
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
