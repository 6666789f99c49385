"""Which pictures a report gets, and from what they are drawn."""

from collections.abc import Mapping
from functools import reduce
from pathlib import Path
from typing import Any

import numpy as np

from catalog.models import ProductImage
from catalog.querysets import ProductImageQuerySet
from recommender.evaluation.catalogue import Catalogue
from recommender.evaluation.charts import draw_intervals
from recommender.evaluation.contact_sheets import draw_masks, draw_neighbours
from recommender.evaluation.experiment import Ranked

N_MASKED_PRODUCTS = 6
TABLE_METRICS = {
    "category_similarity": "category similarity, %",
    "popularity_mae": "popularity MAE x 100",
}
Picture = dict[str, str]  # file, title


def draw_pictures(
    *,
    results: Mapping[str, Any],
    catalogue: Catalogue,
    ranked: Mapping[str, Ranked],
    seed: int,
    folder: Path,
) -> list[Picture]:
    """Write the report's PNGs into `folder`; their names and titles in reading order."""
    pictures = _draw_charts(results, folder)
    if images := _images_with_maps(seed):
        draw_masks(images, folder / "figure_2_masks.png")
        title = "Figure 2: photos, their segmentation maps, and what a backbone sees of them"
        pictures.append({"file": "figure_2_masks.png", "title": title})
    if _draw_one_purchase(catalogue, ranked, seed, folder / "figure_3_recommendations.png"):
        title = "Figure 3: one purchase and its most relevant products under each backbone"
        pictures.append({"file": "figure_3_recommendations.png", "title": title})
    return pictures


def _draw_charts(results: Mapping[str, Any], folder: Path) -> list[Picture]:
    tables = results["tables"]
    gender = {"gender_alignment_unfiltered": "gender alignment without filter, %"}
    precision = {"same_category_precision": "same-category precision, %"}
    photos = [row | {"photos": f"{row['backbone']}, {row['masks']}"} for row in results["visual"]]
    charts = {
        "table_1_backbones": (
            "Backbones",
            tables["backbones"],
            "backbone",
            TABLE_METRICS | gender,
        ),
        "table_2_ablation": ("Ablation", tables["ablation"], "variant", TABLE_METRICS),
        "table_3_trendiness": (
            "Shoppers by trendiness",
            tables["trendiness"],
            "group",
            TABLE_METRICS,
        ),
        "visual_neighbours": (
            "Visual neighbours of the same category",
            photos,
            "photos",
            precision,
        ),
    }
    return [
        {"file": f"{name}.png", "title": f"{title}, with 95% intervals"}
        for name, (title, rows, label, metrics) in charts.items()
        if draw_intervals(
            rows, label=label, metrics=metrics, title=title, path=folder / f"{name}.png"
        )
    ]


def _images_with_maps(seed: int) -> list[ProductImage]:
    """A few primary photos with maps, drawn by the seed, of different categories first."""
    primary = ProductImage.objects.active().primary().values("pk")
    known = list(
        ProductImage.objects.filter(pk__in=primary)
        .exclude(segmentation_map="")
        .order_by("pk")
        .values_list("pk", "product__category_id")
    )
    np.random.default_rng(seed).shuffle(known)
    seen: dict[int, int] = {}
    ordered = []
    for pk, category in known:
        ordered.append((seen.setdefault(category, 0), int(pk)))
        seen[category] += 1
    chosen = [pk for _, pk in sorted(ordered, key=lambda pair: pair[0])[:N_MASKED_PRODUCTS]]
    return list(_with_products().filter(pk__in=chosen))


def _draw_one_purchase(
    catalogue: Catalogue, ranked: Mapping[str, Ranked], seed: int, path: Path
) -> bool:
    """Draw a purchase that every backbone could rank for, picked by the seed; whether there is."""
    n_products = len(catalogue.product_ids)
    purchases = [r.purchases.shoppers * n_products + r.purchases.products for r in ranked.values()]
    common = reduce(np.intersect1d, purchases)
    if not len(common):
        return False
    drawn = common[np.random.default_rng(seed).integers(len(common))]
    shopper, product = divmod(int(drawn), n_products)
    rows = {name: _recommended(one, shopper, product) for name, one in ranked.items()}
    wanted = {product} | {place for row in rows.values() for place, _ in row}
    images = _primary_images(catalogue, wanted)
    shown = {
        name: [(images[place], relevance) for place, relevance in row if place in images]
        for name, row in rows.items()
    }
    if product not in images or not any(shown.values()):
        return False
    draw_neighbours(images[product], shown, path)
    return True


def _recommended(ranked: Ranked, shopper: int, product: int) -> list[tuple[int, float]]:
    """Positions and relevance of what is recommended for that shopper's purchase, at most five."""
    purchases, best = ranked.purchases, ranked.best
    row = np.flatnonzero((purchases.shoppers == shopper) & (purchases.products == product))[0]
    pairs = zip(best.products[row].tolist(), best.relevance[row].tolist(), strict=True)
    return [(place, relevance) for place, relevance in pairs if place >= 0][:5]


def _primary_images(catalogue: Catalogue, places: set[int]) -> dict[int, ProductImage]:
    product_ids = {int(catalogue.product_ids[place]): place for place in places}
    primary = ProductImage.objects.filter(product_id__in=product_ids).primary().values("pk")
    images = _with_products().filter(pk__in=primary)
    return {product_ids[image.product_id]: image for image in images}


def _with_products() -> ProductImageQuerySet:
    return ProductImage.objects.select_related("product__category")
