"""Load over HTTP: a shop of any size under gunicorn, and a generator in a process of its own."""
