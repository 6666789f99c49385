"""How well near-duplicates are found among real photos and copies of them."""
