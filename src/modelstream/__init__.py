"""Models are events."""
