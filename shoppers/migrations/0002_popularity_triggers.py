"""Popularity is kept by the database, so that bulk and single writes count alike.

Rows are locked in key order before they are updated: two transactions that buy the same products
in opposite order wait for each other instead of deadlocking.
"""

from django.db import migrations

CREATE = """
CREATE FUNCTION shoppers_add_popularity_rows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO shoppers_productpopularity (product_id, base, base_is_simulated, counted)
    SELECT id, 0, false, 0 FROM added
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;

CREATE TRIGGER product_added AFTER INSERT ON catalog_product
    REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION shoppers_add_popularity_rows();

CREATE FUNCTION shoppers_count_added_purchases() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM shoppers_productpopularity
        WHERE product_id IN (SELECT product_id FROM added) ORDER BY product_id FOR UPDATE;
    UPDATE shoppers_productpopularity AS p SET counted = p.counted + change.n
        FROM (SELECT product_id, count(*) AS n FROM added GROUP BY product_id) AS change
        WHERE p.product_id = change.product_id;
    RETURN NULL;
END $$;

CREATE FUNCTION shoppers_count_removed_purchases() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM shoppers_productpopularity
        WHERE product_id IN (SELECT product_id FROM removed) ORDER BY product_id FOR UPDATE;
    UPDATE shoppers_productpopularity AS p SET counted = p.counted - change.n
        FROM (SELECT product_id, count(*) AS n FROM removed GROUP BY product_id) AS change
        WHERE p.product_id = change.product_id;
    RETURN NULL;
END $$;

CREATE FUNCTION shoppers_count_changed_purchases() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM shoppers_productpopularity
        WHERE product_id IN (SELECT product_id FROM added UNION SELECT product_id FROM removed)
        ORDER BY product_id FOR UPDATE;
    UPDATE shoppers_productpopularity AS p SET counted = p.counted + change.n
        FROM (
            SELECT product_id, sum(n) AS n
            FROM (
                SELECT product_id, 1 AS n FROM added
                UNION ALL SELECT product_id, -1 FROM removed
            ) AS moves
            GROUP BY product_id
        ) AS change
        WHERE p.product_id = change.product_id AND change.n <> 0;
    RETURN NULL;
END $$;

CREATE TRIGGER purchase_added AFTER INSERT ON shoppers_purchase
    REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION shoppers_count_added_purchases();
CREATE TRIGGER purchase_removed AFTER DELETE ON shoppers_purchase
    REFERENCING OLD TABLE AS removed
    FOR EACH STATEMENT EXECUTE FUNCTION shoppers_count_removed_purchases();
CREATE TRIGGER purchase_changed AFTER UPDATE ON shoppers_purchase
    REFERENCING OLD TABLE AS removed NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION shoppers_count_changed_purchases();
"""

DROP = """
DROP TRIGGER purchase_changed ON shoppers_purchase;
DROP TRIGGER purchase_removed ON shoppers_purchase;
DROP TRIGGER purchase_added ON shoppers_purchase;
DROP TRIGGER product_added ON catalog_product;
DROP FUNCTION shoppers_count_changed_purchases, shoppers_count_removed_purchases,
    shoppers_count_added_purchases, shoppers_add_popularity_rows;
"""


class Migration(migrations.Migration):
    dependencies = [("shoppers", "0001_initial")]

    operations = [migrations.RunSQL(CREATE, DROP)]
