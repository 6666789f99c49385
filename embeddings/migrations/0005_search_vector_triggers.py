"""How search vectors lie in their table, and the triggers that keep them equal to their sources.

Pages are filled to half, so that a new version of every row fits beside the old one and an update
of all popularities at once writes to no index. The axes are stored inline: projecting one vector
reads all of them.
"""

from django.db import migrations

CREATE = """
ALTER TABLE embeddings_searchvector ALTER COLUMN vector SET STORAGE MAIN;
ALTER TABLE embeddings_searchvector SET (fillfactor = 50);
ALTER TABLE embeddings_searchaxis ALTER COLUMN axis SET STORAGE MAIN;

CREATE FUNCTION embeddings_project(which bigint, given halfvec) RETURNS halfvec
LANGUAGE sql STABLE AS $$
    SELECT COALESCE(
        (SELECT array_agg(-(axis <#> given) ORDER BY position)::real[]::halfvec
         FROM embeddings_searchaxis WHERE projection_id = which),
        given
    )
$$;

CREATE FUNCTION embeddings_follow_vector() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO embeddings_searchvector AS s
        (projection_id, product_id, vector, gender, category_id, price, is_active)
    SELECT p.id, NEW.product_id, embeddings_project(p.id, NEW.vector), NEW.gender,
        NEW.category_id, c.price, NEW.is_active
    FROM embeddings_searchprojection p JOIN catalog_product c ON c.id = NEW.product_id
    WHERE p.backbone_id = NEW.backbone_id
    ON CONFLICT (product_id, projection_id) DO UPDATE SET
        vector = EXCLUDED.vector, gender = EXCLUDED.gender, category_id = EXCLUDED.category_id,
        price = EXCLUDED.price, is_active = EXCLUDED.is_active;
    RETURN NULL;
END $$;

CREATE TRIGGER vector_served AFTER INSERT OR UPDATE OF vector ON embeddings_productvector
    FOR EACH ROW EXECUTE FUNCTION embeddings_follow_vector();

CREATE FUNCTION embeddings_follow_copies() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE embeddings_searchvector AS s
        SET gender = NEW.gender, category_id = NEW.category_id, is_active = NEW.is_active
        FROM embeddings_searchprojection p
        WHERE s.product_id = NEW.product_id AND s.projection_id = p.id
            AND p.backbone_id = NEW.backbone_id;
    RETURN NULL;
END $$;

CREATE TRIGGER vector_moved AFTER UPDATE OF gender, category_id, is_active
    ON embeddings_productvector FOR EACH ROW WHEN (
        (OLD.gender, OLD.category_id, OLD.is_active)
        IS DISTINCT FROM (NEW.gender, NEW.category_id, NEW.is_active)
    ) EXECUTE FUNCTION embeddings_follow_copies();

CREATE FUNCTION embeddings_forget_vector() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM embeddings_searchvector AS s USING embeddings_searchprojection p
        WHERE s.product_id = OLD.product_id AND s.projection_id = p.id
            AND p.backbone_id = OLD.backbone_id;
    RETURN NULL;
END $$;

CREATE TRIGGER vector_retired AFTER DELETE ON embeddings_productvector
    FOR EACH ROW EXECUTE FUNCTION embeddings_forget_vector();

CREATE FUNCTION embeddings_copy_price() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE embeddings_searchvector SET price = NEW.price WHERE product_id = NEW.id;
    RETURN NULL;
END $$;

CREATE TRIGGER price_changed AFTER UPDATE OF price ON catalog_product
    FOR EACH ROW WHEN (OLD.price IS DISTINCT FROM NEW.price)
    EXECUTE FUNCTION embeddings_copy_price();
"""

DROP = """
DROP TRIGGER price_changed ON catalog_product;
DROP TRIGGER vector_retired ON embeddings_productvector;
DROP TRIGGER vector_moved ON embeddings_productvector;
DROP TRIGGER vector_served ON embeddings_productvector;
DROP FUNCTION embeddings_copy_price, embeddings_forget_vector, embeddings_follow_copies,
    embeddings_follow_vector, embeddings_project;
"""


class Migration(migrations.Migration):
    dependencies = [("embeddings", "0004_search_vectors")]

    operations = [migrations.RunSQL(CREATE, DROP)]
