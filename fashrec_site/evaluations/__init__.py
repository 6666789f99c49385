"""Evaluations that somebody asked for in the admin, run by a Celery worker."""
