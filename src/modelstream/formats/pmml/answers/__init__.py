"""What a model answers: its prediction, the treatment of its target, and its outputs."""
