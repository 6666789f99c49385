"""The page on which curators edit the similarity matrix."""
