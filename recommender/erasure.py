"""Forgetting what somebody was recommended."""

from django.db import transaction
from django.db.models import Q

from recommender.experiments.models import Exposure
from recommender.models import RecommendationLog
from shoppers.models import Shopper


@transaction.atomic
def erase_recommendations(*, shopper: Shopper) -> int:
    """Delete every set that the shopper, or a session of theirs, was given; how many those were.

    Exposures go with them. Deleting the shopper does the same by itself; this is for one who stays.
    """
    theirs = Q(shopper=shopper) | Q(session__shopper=shopper)
    Exposure.objects.filter(theirs).delete()
    n_sets, _ = RecommendationLog.objects.filter(theirs).delete()
    return n_sets
