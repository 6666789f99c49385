import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("embeddings", "0010_attribute_suggestions"),
    ]

    operations = [
        migrations.AddField(
            model_name="embedding",
            name="box",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.FloatField(),
                blank=True,
                help_text="of the garment: left, top, right, bottom as fractions of the photo",
                null=True,
                size=4,
            ),
        ),
        migrations.AlterField(
            model_name="embedding",
            name="region",
            field=models.CharField(
                default="whole", help_text="the whole photo, or one garment's slot", max_length=20
            ),
        ),
    ]
