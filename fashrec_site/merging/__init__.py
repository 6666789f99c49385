"""Products that turn out to be one: merged, with what they sold, and taken apart again."""
