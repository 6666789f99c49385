"""Pins, boosts and buries as curators set them, with what each would change before it holds."""
