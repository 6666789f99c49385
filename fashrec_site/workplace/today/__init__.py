"""The first page: how the shop's recommender is today, and what needs a hand."""
