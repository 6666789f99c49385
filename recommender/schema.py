"""GraphQL query for a shopper's recommendations: that shopper's session or staff only."""

import strawberry
from django.http import HttpRequest

from catalog.graphql_errors import bad_user_input, checked_count, not_found
from recommender import services
from recommender.availability import Place
from recommender.ranking import RankingSettings, backbone_named, default_profile
from recommender.types import LatLng, RecommendationSet, RelevanceWeights
from shoppers.models import Shopper


@strawberry.type
class RecommenderQuery:
    """Personal recommendations."""

    @strawberry.field
    def recommendations(
        self,
        info: strawberry.Info,
        shopper: str,
        k: int = 5,
        backbone: str | None = None,
        weights: RelevanceWeights | None = None,
        near: LatLng | None = None,
        within_km: float | None = None,
    ) -> RecommendationSet:
        """The top k for each purchase of `shopper` (their external id), merged, with reasons."""
        row = _visible_shopper(info.context.request, shopper)
        try:
            answer = services.recommend(
                shopper=row,
                settings=_settings(checked_count("k", k), backbone, weights),
                near=near and Place(near.latitude, near.longitude),
                within_km=within_km,
            )
        except ValueError as error:  # RankingError is one
            raise bad_user_input(str(error)) from error
        return RecommendationSet(answer=answer)


def _visible_shopper(request: HttpRequest, external_id: str) -> Shopper:
    """The shopper, if the caller is that shopper or staff; a stranger learns nothing else."""
    user = request.user
    shopper = Shopper.objects.filter(external_id=external_id).first()
    own = shopper is not None and user.is_authenticated and shopper.user_id == user.pk
    if shopper is None or not (own or (user.is_active and user.is_staff)):
        raise not_found("No such shopper, or not yours: log in as that shopper or as staff.")
    return shopper


def _settings(k: int, backbone: str | None, weights: RelevanceWeights | None) -> RankingSettings:
    given = weights or RelevanceWeights()
    return RankingSettings.from_profile(default_profile()).with_changes(
        k=k,
        backbone=backbone_named(backbone) if backbone is not None else None,
        weight_visual=given.visual,
        weight_popularity=given.popularity,
        weight_category=given.category,
        penalty_exponent=given.penalty_exponent,
    )
