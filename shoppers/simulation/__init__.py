"""A year of shopping as arrays: numpy only, no Django and no database."""
