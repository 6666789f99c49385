"""Training the garment parser: examples with their maps, what is drawn from them, the recipe."""
