"""Merchandising: products that the shop pins, boosts or buries in recommendations."""
