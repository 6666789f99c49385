"""Products that look like the same article twice, found for a person to decide."""
