"""With which weights, backbone and filters a set of recommendations is ranked."""

from dataclasses import asdict, dataclass, replace
from typing import Any, Self

from embeddings.models import Backbone
from embeddings.preference import backbones_with_vectors
from recommender.models import MAX_PENALTY_EXPONENT, RankingProfile

MAX_K = 100
MAX_POOL = 4 * MAX_K  # from which a re-ranking chooses k


class RankingError(ValueError):
    """Settings that cannot rank; the message says what was expected and what arrived."""


@dataclass(frozen=True)
class RankingSettings:
    """The relevance formula's parameters, as one answer used them.

    `backbone` is None where no product has a vector yet; then only popularity can rank.
    """

    profile_name: str
    weight_visual: float
    weight_popularity: float
    weight_category: float
    penalty_exponent: float
    k: int
    filter_gender: bool
    backbone: Backbone | None
    weight_proximity: float = 0.0

    def __post_init__(self) -> None:
        weights = (self.weight_visual, self.weight_popularity, self.weight_category)
        if not all(0 <= weight < float("inf") for weight in weights) or not any(weights):
            raise RankingError(
                "weights must be finite, not negative and not all zero; got "
                f"visual {weights[0]}, popularity {weights[1]}, category {weights[2]}"
            )
        if not 0 <= self.weight_proximity < float("inf"):
            raise RankingError(
                "the weight of the proximity must be finite and not negative; got "
                f"{self.weight_proximity}"
            )
        if not 0 < self.penalty_exponent <= MAX_PENALTY_EXPONENT:
            raise RankingError(
                f"the penalty exponent must be positive and at most {MAX_PENALTY_EXPONENT}; "
                f"got {self.penalty_exponent}"
            )
        if not 1 <= self.k <= MAX_POOL:
            raise RankingError(f"k must be from 1 to {MAX_K}; got {self.k}")

    @classmethod
    def from_profile(cls, profile: RankingProfile) -> Self:
        """The settings that `profile` stands for."""
        return cls(
            profile_name=profile.name,
            weight_visual=profile.weight_visual,
            weight_popularity=profile.weight_popularity,
            weight_category=profile.weight_category,
            weight_proximity=profile.weight_proximity,
            penalty_exponent=profile.penalty_exponent,
            k=profile.k,
            filter_gender=profile.filter_gender,
            backbone=profile.backbone or profile.best_backbone,
        )

    def with_changes(self, **changes: Any) -> Self:
        """A copy with the given fields replaced; None means "leave as it is"."""
        given = {name: value for name, value in changes.items() if value is not None}
        if given.get("k", 1) > MAX_K:
            raise RankingError(f"k must be from 1 to {MAX_K}; got {given['k']}")
        return replace(self, **given)

    def with_pool(self, size: int) -> Self:
        """A copy that ranks `size` products (or as many as there may be) instead of k."""
        return replace(self, k=min(size, MAX_POOL))

    def as_json(self) -> dict[str, Any]:
        """Plain values for the recommendation log."""
        return asdict(replace(self, backbone=None)) | {
            "backbone": self.backbone and self.backbone.name,
            "weights_sha256": self.backbone and self.backbone.weights_sha256,
        }


def default_profile() -> RankingProfile:
    """The profile marked as default; made with the paper's weights where there is none."""
    profile = RankingProfile.objects.with_backbone().filter(is_default=True).first()
    if profile is None:
        profile, _ = RankingProfile.objects.get_or_create(
            is_default=True, defaults={"name": "default"}
        )
    return profile


def backbone_named(name: str) -> Backbone:
    """The registered backbone `name`, which must have vectors."""
    with_vectors = backbones_with_vectors()
    for backbone in with_vectors:
        if backbone.name == name:
            return backbone
    known = ", ".join(backbone.name for backbone in with_vectors) or "none yet"
    raise RankingError(f"no vectors of a backbone {name!r}; backbones with vectors: {known}")
