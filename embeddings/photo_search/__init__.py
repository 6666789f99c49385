"""Search by photo: a photo from outside the catalogue, and the products that look most like it.

The web server checks an upload without decoding it and keeps it as a private file (`uploads`,
`private_files`); a Celery worker on a queue of its own makes it a vector by the backbone that
products are compared by (`embedding`, `tasks`); whoever asked reads the nearest products
(`nearest`). A search and its photo live for an hour (`services`).
"""
