"""Sets that can be read again, in a log partitioned by day.

Keys begin with their time from now on, so that a range of keys is a day. Every row starts in the
default partition; `recommender.log_partitions` makes the days' and moves their rows.
"""

from django.db import migrations, models

import recommender.set_ids

KEYS_AND_INDEXES = """
ALTER TABLE recommender_recommendationlog
    ADD CONSTRAINT recommendationlog_pkey PRIMARY KEY (id),
    ADD CONSTRAINT recommendationlog_shopper FOREIGN KEY (shopper_id)
        REFERENCES shoppers_shopper (id) DEFERRABLE INITIALLY DEFERRED,
    ADD CONSTRAINT recommendationlog_session FOREIGN KEY (session_id)
        REFERENCES shoppers_anonymoussession (id) DEFERRABLE INITIALLY DEFERRED;
CREATE INDEX recommendationlog_by_shopper ON recommender_recommendationlog (shopper_id);
CREATE INDEX recommendationlog_by_session ON recommender_recommendationlog (session_id);
CREATE INDEX recommendationlog_by_time ON recommender_recommendationlog (created_at);
"""

PARTITION = """
SET CONSTRAINTS ALL IMMEDIATE;
ALTER TABLE recommender_recommendationlog RENAME TO recommender_recommendationlog_before;
CREATE TABLE recommender_recommendationlog
    (LIKE recommender_recommendationlog_before INCLUDING DEFAULTS INCLUDING CONSTRAINTS)
    PARTITION BY RANGE (id);
CREATE TABLE recommender_recommendationlog_default
    PARTITION OF recommender_recommendationlog DEFAULT;
INSERT INTO recommender_recommendationlog SELECT * FROM recommender_recommendationlog_before;
DROP TABLE recommender_recommendationlog_before;
"""

UNITE = """
SET CONSTRAINTS ALL IMMEDIATE;
CREATE TABLE recommender_recommendationlog_after
    (LIKE recommender_recommendationlog INCLUDING DEFAULTS INCLUDING CONSTRAINTS);
INSERT INTO recommender_recommendationlog_after SELECT * FROM recommender_recommendationlog;
DROP TABLE recommender_recommendationlog;
ALTER TABLE recommender_recommendationlog_after RENAME TO recommender_recommendationlog;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("recommender", "0007_profile_proximity"),
    ]

    operations = [
        migrations.AddField(
            model_name="recommendationlog",
            name="merged",
            field=models.JSONField(default=list, help_text="places in items, of the merged list"),
        ),
        migrations.AddField(
            model_name="recommendationlog",
            name="rails",
            field=models.JSONField(default=list, help_text="what each rail was compared with"),
        ),
        migrations.AlterField(
            model_name="recommendationlog",
            name="id",
            field=models.UUIDField(
                default=recommender.set_ids.new_set_id,
                editable=False,
                primary_key=True,
                serialize=False,
            ),
        ),
        migrations.AlterField(
            model_name="recommendationlog",
            name="items",
            field=models.JSONField(help_text="rail by rail, or the popular products"),
        ),
        migrations.RunSQL([PARTITION, KEYS_AND_INDEXES], [UNITE, KEYS_AND_INDEXES]),
    ]
