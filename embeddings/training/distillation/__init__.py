"""Teaching a small network to see what a large one sees, on photos that may be published."""
