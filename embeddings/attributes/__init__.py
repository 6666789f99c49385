"""What photos say of their products: labels told by a fine-tuned backbone, for a curator to take.

Its vectors hold the probabilities of every label, so nothing is computed but a few roots.
"""
