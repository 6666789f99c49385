"""Measuring the ways to find garments against segmentation maps, without a database."""
