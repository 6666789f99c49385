"""Popularity beside the vectors that are searched, kept equal by triggers.

They are made here because this is the lowest app that may know both tables. A new search row locks
its product's popularity row while it reads it: a purchase that is being counted is either seen, or
finds the new row and updates it.
"""

from django.db import migrations

CREATE = """
CREATE FUNCTION recommender_read_popularity() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    SELECT popularity INTO NEW.popularity FROM shoppers_productpopularity
        WHERE product_id = NEW.product_id FOR SHARE;
    NEW.popularity := COALESCE(NEW.popularity, 0);
    RETURN NEW;
END $$;

CREATE TRIGGER search_vector_added BEFORE INSERT ON embeddings_searchvector
    FOR EACH ROW EXECUTE FUNCTION recommender_read_popularity();

CREATE FUNCTION recommender_copy_popularity() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE embeddings_searchvector AS s SET popularity = changed.popularity FROM changed
        WHERE s.product_id = changed.product_id AND s.popularity <> changed.popularity;
    RETURN NULL;
END $$;

CREATE TRIGGER popularity_changed AFTER UPDATE ON shoppers_productpopularity
    REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION recommender_copy_popularity();
"""

DROP = """
DROP TRIGGER popularity_changed ON shoppers_productpopularity;
DROP TRIGGER search_vector_added ON embeddings_searchvector;
DROP FUNCTION recommender_copy_popularity, recommender_read_popularity;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("embeddings", "0005_search_vector_triggers"),
        ("recommender", "0001_initial"),
        ("shoppers", "0003_trend_rows"),
    ]

    operations = [migrations.RunSQL(CREATE, DROP)]
