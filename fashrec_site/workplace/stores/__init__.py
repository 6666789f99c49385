"""Stores on a map of shipped outlines, and their stock from files."""
