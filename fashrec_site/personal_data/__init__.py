"""What is kept of a person, of whatever app: given to them as a file, or erased."""
