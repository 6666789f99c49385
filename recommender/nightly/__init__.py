"""Everyone's recommendations at once, written to a file."""
