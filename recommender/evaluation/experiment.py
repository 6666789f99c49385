"""The paper's experiment: its three tables, recomputed on the catalogue at hand.

For every product that a shopper bought, the top K; measured over all of them. Rows are plain
values for evaluation.json: each figure `x` has `x_interval` (95%) and `x_n` beside it.
"""

from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from embeddings.models import Backbone, MaskMethod
from recommender.batch import ProductArrays, PurchaseArrays, TopK, top_k
from recommender.evaluation import metrics, published
from recommender.evaluation.bootstrap import figure, mean_estimates
from recommender.evaluation.catalogue import Catalogue
from recommender.models import RankingProfile
from recommender.ranking import RankingSettings

LOW_TRENDINESS, HIGH_TRENDINESS = 0.33, 0.66  # the paper's Table 3: below, below, and the rest
GENDER_KEYS = ("gender_alignment", "gender_alignment_without_unisex")
NOT_APPLICABLE = "not applicable"


@dataclass(frozen=True)
class Vectors:
    """One backbone's vectors of all products; zeros where a product has none."""

    backbone: Backbone
    vectors: np.ndarray  # (n, dimension) float32, L2-normalised
    has_vector: np.ndarray  # (n,) bool


@dataclass(frozen=True)
class Variant:
    """A way to rank: a row of the ablation."""

    name: str
    settings: RankingSettings
    min_max_similarity: bool = False
    mask_method: MaskMethod | None = None  # None: the vectors that are served


@dataclass(frozen=True)
class Ranked:
    """What a variant recommends for every product that was bought, and what that measures."""

    products: ProductArrays
    purchases: PurchaseArrays
    best: TopK
    values: dict[str, np.ndarray]  # by metric (q,) or (q, k), NaN where there is none

    def only(self, rows: np.ndarray) -> Self:
        """The purchases at `rows` (q,) bool."""
        values = {name: array[rows] for name, array in self.values.items()}
        return replace(
            self, purchases=self.purchases.at(rows), best=self.best.at(rows), values=values
        )


def paper_settings(backbone: Backbone, k: int) -> RankingSettings:
    """The paper's defaults, which are those of a new ranking profile."""
    profile = RankingProfile(name="paper", backbone=backbone, k=k)
    return RankingSettings.from_profile(profile)


def ablation_variants(settings: RankingSettings) -> list[Variant]:
    """The paper's Table 2, and the variant that its public code computes.

    That code rescales similarities per purchase, weighs .4 and .2, has the exponent 4 and filters
    no gender. It also rescales popularity per purchase, among the candidates instead of the
    catalogue; that is not reproduced.
    """
    code = replace(
        settings,
        weight_visual=0.4,
        weight_popularity=0.2,
        weight_category=0.0,
        penalty_exponent=4.0,
        filter_gender=False,
    )
    return [
        Variant("full", settings),
        Variant("no popularity", replace(settings, weight_popularity=0.0)),
        Variant("no visual", replace(settings, weight_visual=0.0)),
        Variant("no masks", settings, mask_method=MaskMethod.NONE),
        Variant("public code", code, min_max_similarity=True),
    ]


def rank(catalogue: Catalogue, vectors: Vectors, variant: Variant) -> Ranked:
    """Recommend to everyone who bought something, with one backbone and one variant."""
    products = catalogue.product_arrays(vectors.vectors, vectors.has_vector)
    purchases = catalogue.purchases_with_vector(vectors.has_vector)
    best = top_k(
        products=products,
        shoppers=catalogue.shopper_arrays(),
        purchases=purchases,
        settings=variant.settings,
        min_max_similarity=variant.min_max_similarity,
    )
    return Ranked(products, purchases, best, _values(catalogue, products, purchases, best))


def backbone_row(
    catalogue: Catalogue, vectors: Vectors, ranked: Ranked, settings: RankingSettings, *, seed: int
) -> dict[str, Any]:
    """A row of Table 1, with the gender alignment of the unfiltered ranking beside it.

    Only the unfiltered one says something about the embedding: the filter's own is 100 by design,
    but for girls and boys.
    """
    known = published.BACKBONES.get(vectors.backbone.name)
    row = {"backbone": vectors.backbone.name, **measure(ranked, seed=seed)}
    open_ranked = rank(
        catalogue, vectors, Variant("no filter", replace(settings, filter_gender=False))
    )
    figures = measure(open_ranked, seed=seed)
    for key in GENDER_KEYS:
        for suffix in ("", "_interval", "_n"):
            row[f"{key}_unfiltered{suffix}"] = figures[f"{key}{suffix}"]
    row |= _gender_chances(catalogue, ranked, seed)
    return row | {
        "n_purchases_left_out": catalogue.n_distinct_purchases - row["n_purchases"],
        "published": known and known.as_json(),
    }


def ablation_row(
    backbone: Backbone, variant: Variant, ranked: Ranked, *, seed: int
) -> dict[str, Any]:
    """A row of Table 2."""
    known = published.ABLATION.get(variant.name)
    return {
        "variant": variant.name,
        "backbone": backbone.name,
        **measure(ranked, seed=seed),
        "published": known and known.as_json(),
    }


def not_applicable_row(variant: Variant, backbone: Backbone, reason: str) -> dict[str, Any]:
    """A row of Table 2 that cannot be computed here, with the reason."""
    keys = ("category_similarity", "gender_alignment", "popularity_mae")
    return {
        "variant": variant.name,
        "backbone": backbone.name,
        **dict.fromkeys(keys),
        "n_recommendations": 0,
        "status": NOT_APPLICABLE,
        "reason": reason,
        "published": None,
    }


def trendiness_rows(
    catalogue: Catalogue, backbone: Backbone, ranked: Ranked, *, seed: int
) -> list[dict[str, Any]]:
    """Table 3: the full model for shoppers of low, medium and high trendiness."""
    trendiness = catalogue.trendiness[ranked.purchases.shoppers]
    bounds = {
        "low": (-np.inf, LOW_TRENDINESS),
        "medium": (LOW_TRENDINESS, HIGH_TRENDINESS),
        "high": (HIGH_TRENDINESS, np.inf),
    }
    return [
        {
            "group": group,
            "backbone": backbone.name,
            **measure(ranked.only((trendiness >= low) & (trendiness < high)), seed=seed),
            "published": published.TRENDINESS[group].as_json(),
        }
        for group, (low, high) in bounds.items()
    ]


def measure(ranked: Ranked, *, seed: int) -> dict[str, Any]:
    """Every figure about recommendations, with intervals over shoppers."""
    shoppers, recommended = ranked.purchases.shoppers, ranked.best.products
    row = dict.fromkeys(f"{key}{suffix}" for key in GENDER_KEYS for suffix in ("", "_interval"))
    row |= {f"{key}_n": 0 for key in GENDER_KEYS}
    for name, estimate in mean_estimates(ranked.values, shoppers, seed=seed).items():
        row |= figure(name, estimate)
    coverage = metrics.coverage_percent(recommended, ranked.products.is_candidate)
    return row | {
        "coverage": round(coverage, 4),
        "n_recommendations": int(np.count_nonzero(recommended >= 0)),
        "n_purchases": len(shoppers),
        "n_shoppers": len(np.unique(shoppers)),
    }


def _values(
    catalogue: Catalogue, products: ProductArrays, purchases: PurchaseArrays, best: TopK
) -> dict[str, np.ndarray]:
    """What every recommendation, or list, measures."""
    recommended, shoppers = best.products, purchases.shoppers
    values = {
        "category_similarity": metrics.category_similarity_percent(
            recommended, purchases.products, products.categories, products.category_similarity
        ),
        "popularity_mae": metrics.popularity_error_percent(
            recommended, catalogue.trendiness[shoppers], products.normalized_popularity
        ),
        "novelty": metrics.novelty_bits(recommended, catalogue.popularity),
        "diversity": metrics.intra_list_diversity(recommended, products.vectors),
    }
    genders = (recommended, catalogue.shopper_genders[shoppers], products.genders)
    if catalogue.has_several_genders:
        values["gender_alignment"] = metrics.gender_match_percent(*genders)
        values["gender_alignment_without_unisex"] = metrics.gender_match_without_unisex_percent(
            *genders
        )
    return values


def _gender_chances(catalogue: Catalogue, ranked: Ranked, seed: int) -> dict[str, Any]:
    """What random recommendations would reach without the filter: that is what a backbone beats."""
    if not catalogue.has_several_genders:
        return {f"{key}_chance": None for key in GENDER_KEYS}
    shoppers = ranked.purchases.shoppers
    offered = ranked.products.genders[ranked.products.is_candidate]
    values = {
        f"{key}_chance": metrics.gender_chance_percent(
            catalogue.shopper_genders[shoppers], offered, with_unisex=with_unisex
        )
        for key, with_unisex in zip(GENDER_KEYS, (True, False), strict=True)
    }
    estimates = mean_estimates(values, shoppers, seed=seed)
    return {
        name: estimate.value and round(estimate.value, 4) for name, estimate in estimates.items()
    }
