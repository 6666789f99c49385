"""The curators' workplace: Django's admin with a theme, roles, and pages that show what edits do.

Pages that need several apps live here, as only the site may import them all.
"""
