"""Models made of models: segments, and one answer of many."""
