"""Catalogues to measure on: real photos, augmented crops of them, interpolations, clusters."""
