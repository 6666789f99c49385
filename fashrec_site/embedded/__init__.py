"""PostgreSQL + pgvector and Redis without installation: started on first use, found again later.

Nothing here runs when DATABASE_URL and REDIS_URL are set.
"""
