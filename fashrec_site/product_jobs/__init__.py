"""Changes of thousands of products that somebody asked for, done in chunks by a Celery worker."""
