"""The view behind `CategoryPair`: the one definition of category similarity, for SQL and Python."""

from django.db import migrations

CREATE_VIEW = """
CREATE VIEW catalog_categorypair AS
SELECT
    a.id AS a_id,
    b.id AS b_id,
    CASE
        WHEN a.id = b.id THEN 1.0
        WHEN o.similarity IS NOT NULL THEN o.similarity
        WHEN a.group_id = b.group_id THEN 0.8
        WHEN g.similarity IS NOT NULL THEN g.similarity
        ELSE 0.1
    END::float8 AS similarity,
    CASE
        WHEN a.id = b.id THEN 'same'
        WHEN o.similarity IS NOT NULL THEN 'override'
        WHEN a.group_id = b.group_id THEN 'within group'
        WHEN g.similarity IS NOT NULL THEN 'groups'
        ELSE 'default'
    END AS source
FROM catalog_category a
CROSS JOIN catalog_category b
LEFT JOIN catalog_categorysimilarity o
    ON o.a_id = LEAST(a.id, b.id) AND o.b_id = GREATEST(a.id, b.id)
LEFT JOIN catalog_groupsimilarity g
    ON g.a_id = LEAST(a.group_id, b.group_id) AND g.b_id = GREATEST(a.group_id, b.group_id)
"""


class Migration(migrations.Migration):
    dependencies = [("catalog", "0001_initial")]

    operations = [migrations.RunSQL(CREATE_VIEW, "DROP VIEW catalog_categorypair")]
