"""Words as they are written, so that a typo is compared with them and not with their stems.

A word may be there twice: with a unique one, two imports waited for each other's new words, and as
each holds its words until it commits, two of them could wait for each other for ever.
"""

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
from django.db import migrations, models

CREATE = """
CREATE OR REPLACE FUNCTION catalog_refresh_search(ids bigint[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO catalog_productsearch AS known (product_id, document)
    SELECT
        p.id,
        setweight(to_tsvector('english', p.title), 'A')
        || setweight(to_tsvector('english', replace(c.name, '_', ' ')), 'B')
        || setweight(to_tsvector('english', concat_ws(
            ' ', replace(g.name, '_', ' '), p.color, p.season, p.usage)), 'C')
    FROM catalog_product p
    JOIN catalog_category c ON c.id = p.category_id
    JOIN catalog_categorygroup g ON g.id = c.group_id
    WHERE p.id = ANY(ids)
    ORDER BY p.id
    ON CONFLICT (product_id) DO UPDATE SET document = EXCLUDED.document
        WHERE known.document IS DISTINCT FROM EXCLUDED.document;

    INSERT INTO catalog_searchword (word, trigrams)
    SELECT word, catalog_trigrams(word)
    FROM (
        SELECT DISTINCT unnest(tsvector_to_array(to_tsvector('simple', concat_ws(
            ' ', p.title, replace(c.name, '_', ' '), replace(g.name, '_', ' '), p.color, p.season,
            p.usage)))) AS word
        FROM catalog_product p
        JOIN catalog_category c ON c.id = p.category_id
        JOIN catalog_categorygroup g ON g.id = c.group_id
        WHERE p.id = ANY(ids)
    ) AS words
    WHERE word ~ '[[:alpha:]]' AND NOT EXISTS (
        SELECT 1 FROM catalog_searchword known WHERE known.word = words.word
    );
END $$;

SELECT catalog_refresh_search(ARRAY(SELECT id FROM catalog_product));
"""

DROP = """
CREATE OR REPLACE FUNCTION catalog_refresh_search(ids bigint[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO catalog_productsearch AS known (product_id, document)
    SELECT
        p.id,
        setweight(to_tsvector('english', p.title), 'A')
        || setweight(to_tsvector('english', replace(c.name, '_', ' ')), 'B')
        || setweight(to_tsvector('english', concat_ws(
            ' ', replace(g.name, '_', ' '), p.color, p.season, p.usage)), 'C')
    FROM catalog_product p
    JOIN catalog_category c ON c.id = p.category_id
    JOIN catalog_categorygroup g ON g.id = c.group_id
    WHERE p.id = ANY(ids)
    ORDER BY p.id
    ON CONFLICT (product_id) DO UPDATE SET document = EXCLUDED.document
        WHERE known.document IS DISTINCT FROM EXCLUDED.document;

    -- In order, so that two imports of the same words wait for each other and never deadlock.
    INSERT INTO catalog_searchword (word, trigrams)
    SELECT word, catalog_trigrams(word)
    FROM (
        SELECT DISTINCT unnest(tsvector_to_array(document)) AS word
        FROM catalog_productsearch WHERE product_id = ANY(ids)
    ) AS words
    WHERE word ~ '[[:alpha:]]' AND NOT EXISTS (
        SELECT 1 FROM catalog_searchword known WHERE known.word = words.word
    )
    ORDER BY word
    ON CONFLICT DO NOTHING;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("catalog", "0003_product_search")]

    operations = [
        migrations.DeleteModel(name="SearchWord"),
        migrations.CreateModel(
            name="SearchWord",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("word", models.TextField()),
                (
                    "trigrams",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.TextField(), size=None
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["word"], name="search_word"),
                    django.contrib.postgres.indexes.GinIndex(
                        fields=["trigrams"], name="search_word_trigrams"
                    ),
                ],
            },
        ),
        migrations.RunSQL(CREATE, DROP),
    ]
