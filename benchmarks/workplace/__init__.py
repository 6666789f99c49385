"""How long curators wait: every list page of the admin at the size of a large shop."""
