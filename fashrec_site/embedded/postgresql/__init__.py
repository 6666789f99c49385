"""Django database backend: PostgreSQL whose embedded server starts with the first connection."""
