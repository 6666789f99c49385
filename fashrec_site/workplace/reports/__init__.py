"""Evaluation runs on the page: one with its tables and pictures, or two side by side."""
