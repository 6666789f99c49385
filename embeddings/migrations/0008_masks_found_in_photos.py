from django.db import migrations, models

METHODS = [
    ("segmentation_map", "segmentation map"),
    ("automatic", "what finds a garment first"),
    ("segformer", "SegFormer"),
    ("white_background", "white background removed"),
    ("parser", "garment parser"),
    ("grabcut", "GrabCut"),
    ("none", "whole photo"),
]


class Migration(migrations.Migration):
    dependencies = [
        ("embeddings", "0007_photo_search"),
    ]

    operations = [
        migrations.AlterField(
            model_name="embedding",
            name="mask_method",
            field=models.CharField(choices=METHODS, help_text="asked for", max_length=20),
        ),
        migrations.AddField(
            model_name="embedding",
            name="found_by",
            field=models.CharField(
                blank=True,
                choices=METHODS,
                db_default="",
                default="",
                help_text="the method that found the garment; of old rows the one that was asked for",
                max_length=20,
            ),
        ),
    ]
