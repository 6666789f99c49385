"""Read replicas: requests that only read are answered by one, everything else by the primary.

`DATABASE_REPLICA_URLS` turns it on. `middleware` opens a scope for each request that may read from
a replica; `router` sends the ORM's reads there, and `catalog.database.reading_connection` those of
our own SQL; `standby` knows which replicas answer and are recent enough. Outside of such a scope
(workers, commands, the admin, tests) nothing ever reads from a replica.
"""

PRIMARY = "default"
