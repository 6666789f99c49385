"""Popularity rows carry what the trend streams filter by, in narrow indexes in both directions.

Ties of popularity are read by ascending product key from either side of a shopper's trendiness,
which is the tie rule of the ranking; hence two indexes and not one that is read backwards.
"""

from django.db import migrations, models
from django.db.models import F, Q

CREATE = """
UPDATE shoppers_productpopularity AS p SET gender = c.gender, is_active = c.is_active
    FROM catalog_product AS c WHERE c.id = p.product_id;

CREATE FUNCTION shoppers_fill_popularity_row() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    SELECT gender, is_active INTO NEW.gender, NEW.is_active
        FROM catalog_product WHERE id = NEW.product_id;
    RETURN NEW;
END $$;

CREATE TRIGGER popularity_row_added BEFORE INSERT ON shoppers_productpopularity
    FOR EACH ROW EXECUTE FUNCTION shoppers_fill_popularity_row();

CREATE FUNCTION shoppers_copy_product() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE shoppers_productpopularity SET gender = NEW.gender, is_active = NEW.is_active
        WHERE product_id = NEW.id;
    RETURN NULL;
END $$;

CREATE TRIGGER product_changed_popularity AFTER UPDATE OF gender, is_active ON catalog_product
    FOR EACH ROW WHEN ((OLD.gender, OLD.is_active) IS DISTINCT FROM (NEW.gender, NEW.is_active))
    EXECUTE FUNCTION shoppers_copy_product();
"""

DROP = """
DROP TRIGGER product_changed_popularity ON catalog_product;
DROP TRIGGER popularity_row_added ON shoppers_productpopularity;
DROP FUNCTION shoppers_copy_product, shoppers_fill_popularity_row;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0001_initial"),
        ("shoppers", "0002_popularity_triggers"),
    ]

    operations = [
        migrations.RemoveIndex(model_name="productpopularity", name="popularity_then_product"),
        migrations.AddField(
            model_name="productpopularity",
            name="gender",
            field=models.CharField(
                choices=[
                    ("WOMEN", "Women"),
                    ("MEN", "Men"),
                    ("UNISEX", "Unisex"),
                    ("GIRLS", "Girls"),
                    ("BOYS", "Boys"),
                ],
                db_default="UNISEX",
                editable=False,
                max_length=10,
            ),
        ),
        migrations.AddField(
            model_name="productpopularity",
            name="is_active",
            field=models.BooleanField(db_default=True, editable=False),
        ),
        migrations.RunSQL(CREATE, DROP),
        migrations.AddIndex(
            model_name="productpopularity",
            index=models.Index(
                F("gender"),
                F("popularity"),
                F("product"),
                condition=Q(is_active=True),
                name="trend_upwards",
            ),
        ),
        migrations.AddIndex(
            model_name="productpopularity",
            index=models.Index(
                F("gender"),
                F("popularity").desc(),
                F("product"),
                condition=Q(is_active=True),
                name="trend_downwards",
            ),
        ),
    ]
