"""Events are stored once, may be of somebody not logged in, and name what they came from.

Events that are there already get a random key each: they came without one and come no second time.
"""

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

import shoppers.models


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0002_category_pair_view"),
        ("shoppers", "0003_trend_rows"),
    ]

    operations = [
        migrations.AddField(
            model_name="event",
            name="key",
            field=models.CharField(
                default=shoppers.models.new_key,
                help_text="the caller's idempotency key",
                max_length=100,
            ),
        ),
        migrations.RunSQL(
            "UPDATE shoppers_event SET key = gen_random_uuid()::text", migrations.RunSQL.noop
        ),
        migrations.AddField(
            model_name="event",
            name="received_at",
            field=models.DateTimeField(default=django.utils.timezone.now, editable=False),
        ),
        migrations.AddField(
            model_name="event",
            name="recommendation_id",
            field=models.UUIDField(
                blank=True, help_text="the set of recommendations that it came from", null=True
            ),
        ),
        migrations.AddField(
            model_name="event",
            name="returned_purchase_at",
            field=models.DateTimeField(
                blank=True,
                editable=False,
                help_text="of a return: when the purchase that it took back was made",
                null=True,
            ),
        ),
        migrations.AlterField(
            model_name="event",
            name="kind",
            field=models.CharField(
                choices=[
                    ("view", "View"),
                    ("favourite", "Favourite"),
                    ("unfavourite", "Unfavourite"),
                    ("cart", "Cart"),
                    ("purchase", "Purchase"),
                    ("return", "Return"),
                    ("dismissal", "Dismissal"),
                ],
                max_length=20,
            ),
        ),
        migrations.AlterField(
            model_name="event",
            name="shopper",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="events",
                to="shoppers.shopper",
            ),
        ),
        migrations.CreateModel(
            name="AnonymousSession",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("token_sha256", models.CharField(max_length=64, unique=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("merged_at", models.DateTimeField(blank=True, null=True)),
                (
                    "shopper",
                    models.ForeignKey(
                        blank=True,
                        help_text="who logged in; empty until then",
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="sessions",
                        to="shoppers.shopper",
                    ),
                ),
            ],
            options={
                "ordering": ["id"],
            },
        ),
        migrations.AddField(
            model_name="event",
            name="session",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="events",
                to="shoppers.anonymoussession",
            ),
        ),
        migrations.AddIndex(
            model_name="event",
            index=models.Index(
                condition=models.Q(("recommendation_id__isnull", False)),
                fields=["recommendation_id"],
                name="event_by_recommendation",
            ),
        ),
        migrations.AddConstraint(
            model_name="event",
            constraint=models.UniqueConstraint(
                fields=("shopper", "key"), name="event_once_per_shopper"
            ),
        ),
        migrations.AddConstraint(
            model_name="event",
            constraint=models.UniqueConstraint(
                fields=("session", "key"), name="event_once_per_session"
            ),
        ),
        migrations.AddConstraint(
            model_name="event",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("shopper__isnull", False), ("session__isnull", False), _connector="OR"
                ),
                name="event_of_somebody",
            ),
        ),
        migrations.AddConstraint(
            model_name="event",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("kind__in", ["purchase", "return"]), _negated=True),
                    ("shopper__isnull", False),
                    _connector="OR",
                ),
                name="event_purchase_of_a_shopper",
            ),
        ),
        migrations.AddConstraint(
            model_name="event",
            constraint=models.CheckConstraint(
                condition=models.Q(("key", ""), _negated=True), name="event_key_not_empty"
            ),
        ),
        migrations.AddConstraint(
            model_name="anonymoussession",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("merged_at__isnull", True), ("shopper__isnull", True)),
                    models.Q(("merged_at__isnull", False), ("shopper__isnull", False)),
                    _connector="OR",
                ),
                name="session_merged_into_somebody",
            ),
        ),
    ]
