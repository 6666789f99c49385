"""GraphQL query for a shopper's recommendations: that shopper's session or staff only."""

from typing import Annotated

import strawberry
from django.http import HttpRequest

from catalog.graphql_cost import PERSONAL, cost
from catalog.graphql_errors import bad_user_input, checked_count, not_found
from catalog.product_filter import ProductFilter
from catalog.types import LatLng
from recommender import services
from recommender.discovery import DiscoveryQuery
from recommender.experiments.services import assignment_of, log_exposure
from recommender.history import Exclusion, History, shopper_history
from recommender.models import RankingProfile
from recommender.ranking import RankingSettings, backbone_named
from recommender.types import RecommendationExclusion, RecommendationSet, RelevanceWeights
from shoppers.callers import caller_of


@strawberry.type
class RecommenderQuery(DiscoveryQuery):
    """Recommendations, personal and not."""

    @strawberry.field(metadata=cost(PERSONAL))
    def recommendations(
        self,
        info: strawberry.Info,
        shopper: Annotated[str, strawberry.argument(description="The shopper's external id.")],
        k: Annotated[
            int, strawberry.argument(description="Recommendations per purchase, 1 to 100.")
        ] = 5,
        backbone: Annotated[
            str | None, strawberry.argument(description="Whose vectors; the profile's by default.")
        ] = None,
        weights: Annotated[
            RelevanceWeights | None, strawberry.argument(description="Instead of the profile's.")
        ] = None,
        near: Annotated[
            LatLng | None,
            strawberry.argument(description="Measure distances from here, not from their home."),
        ] = None,
        within_km: Annotated[
            float | None,
            strawberry.argument(description="Only what a store at most this far away has."),
        ] = None,
        filter: Annotated[
            ProductFilter | None,
            strawberry.argument(description="Only such products, as for `products`."),
        ] = None,
        exclude: Annotated[
            RecommendationExclusion | None,
            strawberry.argument(
                description="What to leave out; what they bought, returned or dismissed where not "
                "said."
            ),
        ] = None,
        diversity: Annotated[
            float,
            strawberry.argument(
                description="From 0, the most relevant, to 1, unlike each other; .3 is a start."
            ),
        ] = 0.0,
    ) -> RecommendationSet:
        """The top k for each of the shopper's purchases; for that shopper's session or staff."""
        request = info.context.request
        exclusion = exclude.exclusion() if exclude else Exclusion()
        history = _visible_history(request, shopper, exclusion)
        assignment = assignment_of(history.visitor)
        try:
            answer = services.recommend(
                shopper=history.visitor,
                settings=_settings(assignment.profile, checked_count("k", k), backbone, weights),
                near=near and near.place(),
                within_km=within_km,
                wanted=filter,
                exclusion=exclusion,
                diversity=diversity,
                history=history,
            )
        except ValueError as error:  # RankingError is one
            raise bad_user_input(str(error)) from error
        if not caller_of(request).is_staff:  # who looks after the shop is in no experiment
            log_exposure(history.visitor, assignment, answer.settings, answer.id)
        return RecommendationSet(answer=answer)


def _visible_history(request: HttpRequest, external_id: str, exclusion: Exclusion) -> History:
    """The shopper's history, if the caller may read it; a stranger learns nothing else."""
    history = shopper_history(external_id, exclusion)
    if history is None or not caller_of(request).may_read(history.visitor):
        raise not_found("No such shopper, or not yours: log in as that shopper or as staff.")
    return history


def _settings(
    profile: RankingProfile, k: int, backbone: str | None, weights: RelevanceWeights | None
) -> RankingSettings:
    given = weights or RelevanceWeights()
    return RankingSettings.from_profile(profile).with_changes(
        k=k,
        backbone=backbone_named(backbone) if backbone is not None else None,
        weight_visual=given.visual,
        weight_popularity=given.popularity,
        weight_category=given.category,
        weight_proximity=given.proximity,
        penalty_exponent=given.penalty_exponent,
    )
