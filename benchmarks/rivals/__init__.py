"""What a user would take instead, written as a user would write it."""
