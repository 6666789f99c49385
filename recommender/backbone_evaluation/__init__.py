"""A backbone measured as retrieval papers do: one vector per photo, one ranking for all labels."""
