"""How near a product can be bought, as a number that a relevance can hold."""

from django.db.models import Value
from django.db.models.functions import Exp, Least

from catalog.models import Store
from catalog.places import Place, distance_km
from recommender.relevance import Subquery
from recommender.subqueries import subquery_of

SCALE_KM = 10.0  # a store at this distance has a proximity of 1/e
FARTHEST = 100.0  # times the scale: PostgreSQL's exp() fails where a double underflows


def store_proximities(origin: Place) -> Subquery:
    """Each store's (id, proximity): exp(-km / 10), from 1 at the door over .37 at 10 km to 0.

    A product's proximity is that of the nearest store that has it, and 0 where none has. Ours: the
    paper computes the great-circle distance and ranks without it.
    """
    scaled = Least(distance_km(origin) / Value(SCALE_KM), Value(FARTHEST))
    stores = Store.objects.annotate(proximity=Exp(Value(-1.0) * scaled))
    return subquery_of(stores.values("id", "proximity"), "near")
