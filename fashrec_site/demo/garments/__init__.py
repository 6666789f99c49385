"""Garments drawn by our own code, for the demo without photos: a stage, never evidence."""
