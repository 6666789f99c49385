"""The queue of products that may be one: look, decide, take back."""
