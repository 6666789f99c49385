"""Folders of labelled photos for training and measuring, read without a database or Django."""

from embeddings.photo_sets.labelled_photo import LabelledPhoto, PhotoSetError
from embeddings.photo_sets.reading import read_photo_set
from embeddings.photo_sets.split import PARTS, Part, split_of

__all__ = ["PARTS", "LabelledPhoto", "Part", "PhotoSetError", "read_photo_set", "split_of"]
