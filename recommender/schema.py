"""GraphQL queries of recommendations: for whoever may read the shopper or has the token."""

from typing import Annotated
from uuid import UUID

import strawberry
from django.utils import timezone
from strawberry import relay

from catalog.graphql_cost import PERSONAL, SEARCH, cost
from catalog.graphql_errors import (
    ErrorCode,
    bad_user_input,
    checked_count,
    coded_error,
    not_found,
)
from catalog.product_filter import ProductFilter
from catalog.types import LatLng
from recommender import services
from recommender.discovery import DiscoveryQuery
from recommender.experiments.services import assignment_of, log_exposure
from recommender.history import Exclusion
from recommender.models import RankingProfile
from recommender.ranking import RankingSettings, backbone_named
from recommender.stored_sets import SetExpired, read_set
from recommender.types import RecommendationExclusion, RecommendationSet, RelevanceWeights
from recommender.visibility import visible_history, visible_set
from shoppers.callers import caller_of


@strawberry.type
class RecommenderQuery(DiscoveryQuery):
    """Recommendations, personal and not."""

    @strawberry.field(metadata=cost(PERSONAL))
    def recommendations(
        self,
        info: strawberry.Info,
        shopper: Annotated[
            str | None,
            strawberry.argument(
                description="The shopper's external id; whoever is logged in where not said."
            ),
        ] = None,
        session_token: Annotated[
            str | None,
            strawberry.argument(
                description="Of somebody not logged in: what was recorded with it is the history."
            ),
        ] = None,
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
        """The top k for each of the shopper's purchases; for that shopper's session or staff.

        With a session token for each product that was put into the cart, liked or looked at.
        """
        request = info.context.request
        exclusion = exclude.exclusion() if exclude else Exclusion()
        history = visible_history(request, shopper, session_token, exclusion)
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
            log_exposure(
                history.visitor, assignment, answer.settings, answer.id, answer.merchandised
            )
        return RecommendationSet.of(answer)

    @strawberry.field(metadata=cost(SEARCH))
    def recommendation_set(
        self,
        info: strawberry.Info,
        id: Annotated[relay.GlobalID, strawberry.argument(description="Of the set.")],
        session_token: Annotated[
            str | None, strawberry.argument(description="Whose set it is, if a session's.")
        ] = None,
    ) -> RecommendationSet:
        """A set as it was given, without ranking again; for 24 hours."""
        if id.type_name != "RecommendationSet" or not RecommendationSet.is_key(id.node_id):
            raise bad_user_input("`id` must be the id of a RecommendationSet.")
        log = visible_set(info.context.request, UUID(id.node_id), session_token)
        if log is None:
            raise not_found("No such set of recommendations, or not yours.")
        try:
            return RecommendationSet.of(read_set(log, now=timezone.now()))
        except SetExpired as error:
            message = "This set is older than 24 hours: ask for recommendations anew."
            raise coded_error(ErrorCode.EXPIRED, message) from error


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
