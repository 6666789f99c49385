"""The similarity matrix as curators work on it: its values, edits, past states and CSV.

What a pair's similarity is, the view behind `CategoryPair` says and nothing else.
"""
