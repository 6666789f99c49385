"""What a report was computed from: the code, the database, the weights, the seed."""

from pathlib import Path
from typing import Any

import numpy as np
from django.conf import settings as django_settings

from catalog.models import Category, ProductImage
from catalog.provenance import code_version
from embeddings.models import Backbone
from recommender.evaluation.bootstrap import N_RESAMPLES
from recommender.evaluation.catalogue import Catalogue
from recommender.ranking import RankingSettings
from shoppers.models import Purchase, Shopper


def run_settings(
    *,
    catalogue: Catalogue,
    ranking: RankingSettings,
    backbones: list[Backbone],
    skipped: dict[str, str],
    seed: int,
    started_at: str,
) -> dict[str, Any]:
    """Everything needed to run the evaluation again and to judge it, as plain values."""
    return {
        "started_at": started_at,
        "seed": seed,
        "k": ranking.k,
        "weights": {
            "visual": ranking.weight_visual,
            "popularity": ranking.weight_popularity,
            "category": ranking.weight_category,
        },
        "gamma": ranking.penalty_exponent,
        "filter_gender": ranking.filter_gender,
        "n_resamples": N_RESAMPLES,
        "code_version": code_version(Path(django_settings.BASE_DIR)),
        "database": database_counts(catalogue),
        "backbones": [
            {
                "name": backbone.name,
                "dimension": backbone.dimension,
                "weights_sha256": backbone.weights_sha256,
            }
            for backbone in backbones
        ],
        "skipped_backbones": skipped,
    }


def database_counts(catalogue: Catalogue) -> dict[str, int]:
    """How much of everything there is. Cost: seven queries."""
    photos = ProductImage.objects.active()
    return {
        "products": len(catalogue.product_ids),
        "active_products": int(np.count_nonzero(catalogue.is_active)),
        "categories": Category.objects.filter(products__is_active=True).distinct().count(),
        "photos": photos.count(),
        "photos_with_segmentation_map": photos.exclude(segmentation_map="").count(),
        "genders": len(np.unique(catalogue.genders[catalogue.is_active])),
        "shoppers": Shopper.objects.count(),
        "shoppers_with_purchases": len(catalogue.shopper_ids),
        "purchases": Purchase.objects.count(),
        "simulated_purchases": Purchase.objects.filter(is_simulated=True).count(),
    }
