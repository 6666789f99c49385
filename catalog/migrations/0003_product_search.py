"""What text search reads, kept by the database, so that a product is found as soon as it is there.

A statement's products are written at once: one row each in the search table, and their words with
trigrams, which stand in for pg_trgm (the embedded PostgreSQL has none). Words are stored as they are
written, so that a typo is compared with them and not with their stems.
"""

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.contrib.postgres.search
import django.db.models.deletion
import django.db.models.functions.text
from django.db import migrations, models

CREATE = """
CREATE FUNCTION catalog_trigrams(word text) RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT array_agg(DISTINCT substr('  ' || word || ' ', i, 3))
    FROM generate_series(1, length(word) + 1) AS i
$$;

CREATE FUNCTION catalog_refresh_search(ids bigint[]) RETURNS void LANGUAGE plpgsql AS $$
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

    -- A word may be there twice: with a unique one, two imports would wait for each other's words.
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

CREATE FUNCTION catalog_search_added_products() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM catalog_refresh_search(ARRAY(SELECT id FROM added));
    RETURN NULL;
END $$;

CREATE FUNCTION catalog_search_changed_products() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM catalog_refresh_search(ids) FROM (
        SELECT array_agg(id) AS ids FROM added JOIN removed USING (id)
        WHERE (added.title, added.category_id, added.color, added.season, added.usage)
            IS DISTINCT FROM
            (removed.title, removed.category_id, removed.color, removed.season, removed.usage)
    ) AS changed WHERE ids IS NOT NULL;
    RETURN NULL;
END $$;

CREATE FUNCTION catalog_search_changed_category() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM catalog_refresh_search(ARRAY(
        SELECT id FROM catalog_product WHERE category_id = NEW.id
    ));
    RETURN NULL;
END $$;

CREATE FUNCTION catalog_search_changed_group() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM catalog_refresh_search(ARRAY(
        SELECT p.id FROM catalog_product p JOIN catalog_category c ON c.id = p.category_id
        WHERE c.group_id = NEW.id
    ));
    RETURN NULL;
END $$;

CREATE TRIGGER search_product_added AFTER INSERT ON catalog_product
    REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION catalog_search_added_products();
CREATE TRIGGER search_product_changed AFTER UPDATE ON catalog_product
    REFERENCING OLD TABLE AS removed NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION catalog_search_changed_products();
CREATE TRIGGER search_category_changed AFTER UPDATE OF name, group_id ON catalog_category
    FOR EACH ROW EXECUTE FUNCTION catalog_search_changed_category();
CREATE TRIGGER search_group_changed AFTER UPDATE OF name ON catalog_categorygroup
    FOR EACH ROW EXECUTE FUNCTION catalog_search_changed_group();

SELECT catalog_refresh_search(ARRAY(SELECT id FROM catalog_product));
"""

DROP = """
DROP TRIGGER search_group_changed ON catalog_categorygroup;
DROP TRIGGER search_category_changed ON catalog_category;
DROP TRIGGER search_product_changed ON catalog_product;
DROP TRIGGER search_product_added ON catalog_product;
DROP FUNCTION catalog_search_changed_group, catalog_search_changed_category,
    catalog_search_changed_products, catalog_search_added_products;
DROP FUNCTION catalog_refresh_search;
DROP FUNCTION catalog_trigrams;
"""


class Migration(migrations.Migration):
    dependencies = [("catalog", "0002_category_pair_view")]

    operations = [
        migrations.CreateModel(
            name="ProductSearch",
            fields=[
                (
                    "product",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="search",
                        serialize=False,
                        to="catalog.product",
                    ),
                ),
                ("document", django.contrib.postgres.search.SearchVectorField()),
            ],
            options={"verbose_name_plural": "product search"},
        ),
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
        ),
        migrations.AddIndex(
            model_name="productsearch",
            index=django.contrib.postgres.indexes.GinIndex(
                fields=["document"], name="product_search_document"
            ),
        ),
        migrations.AddIndex(
            model_name="searchword",
            index=models.Index(fields=["word"], name="search_word"),
        ),
        migrations.AddIndex(
            model_name="searchword",
            index=django.contrib.postgres.indexes.GinIndex(
                fields=["trigrams"], name="search_word_trigrams"
            ),
        ),
        migrations.AddIndex(
            model_name="product",
            index=models.Index(fields=["price", "id"], name="product_price"),
        ),
        migrations.AddIndex(
            model_name="product",
            index=models.Index(
                django.db.models.functions.text.Lower("color"), name="product_color"
            ),
        ),
        migrations.AddIndex(
            model_name="store",
            index=models.Index(fields=["latitude", "longitude"], name="store_place"),
        ),
        migrations.RunSQL(CREATE, DROP),
    ]
