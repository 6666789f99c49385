import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0006_merged_products"),
        ("embeddings", "0009_near_duplicates"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="AttributeSuggestion",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "label",
                    models.CharField(
                        choices=[
                            ("category", "Category"),
                            ("color", "Color"),
                            ("gender", "Gender"),
                            ("season", "Season"),
                            ("usage", "Usage"),
                        ],
                        max_length=10,
                    ),
                ),
                ("value", models.CharField(max_length=100)),
                (
                    "confidence",
                    models.FloatField(help_text="how often such a suggestion is right, 0 to 1"),
                ),
                (
                    "current",
                    models.CharField(
                        blank=True,
                        help_text="what the product had when this was suggested",
                        max_length=100,
                    ),
                ),
                ("weights_sha256", models.CharField(max_length=64)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("open", "Open"),
                            ("accepted", "Accepted"),
                            ("dismissed", "Dismissed"),
                        ],
                        default="open",
                        max_length=10,
                    ),
                ),
                ("suggested_at", models.DateTimeField(auto_now=True)),
                ("decided_at", models.DateTimeField(null=True)),
                (
                    "backbone",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="suggestions",
                        to="embeddings.backbone",
                    ),
                ),
                (
                    "decided_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "product",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="suggestions",
                        to="catalog.product",
                    ),
                ),
            ],
            options={
                "ordering": ["-confidence", "pk"],
                "indexes": [
                    models.Index(fields=["state", "-confidence", "id"], name="suggestion_list")
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("product", "label"), name="one_suggestion_per_label"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("confidence__gte", 0), ("confidence__lte", 1)),
                        name="suggestion_confidence",
                    ),
                ],
            },
        ),
    ]
