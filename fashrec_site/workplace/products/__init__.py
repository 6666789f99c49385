"""Products as curators work on them: how they look to the networks, and how they do."""
