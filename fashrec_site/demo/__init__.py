"""`make demo`: everything from photos to a report, in a home of its own, then served."""
