"""What a fine-tuned backbone says of products: a list to accept from, and how far to believe it."""
