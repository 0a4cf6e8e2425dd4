"""The state of a flow, read from its topics: versions and their lives, figures of their use."""
