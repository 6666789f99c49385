"""What the GraphQL layer adds to `recommender.services.recommend`, shopper by shopper.

And how much of that is graphql-core's executor: the same document over an answer that is ready.
"""

import json
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from django.conf import settings
from django.contrib.auth.models import User
from django.core.handlers.base import BaseHandler
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import resolve, reverse
from django.utils import timezone
from graphql import ExecutionResult, build_schema, execute, parse

from benchmarks.figures import spread_ms
from benchmarks.synthetic import empty_database, fill_catalogue
from catalog.models import Gender, Product, ProductImage, Stock, Store
from embeddings.indexes import ensure_search_indexes
from recommender.ranking import RankingSettings, default_profile
from recommender.services import recommend
from shoppers.models import Purchase, Shopper

Ask = Callable[[], object]
Way = Callable[[Shopper], Ask]  # a question put together, which costs the client and not us
N_PURCHASES = 5
CORE_ALONE = "graphql_core_alone"
N_WARM = 10  # requests before anything counts: caches, plans, connections
# As the README shows it, with every field that the demo storefront draws.
QUERY = """
query ($shopper: String!) {
  recommendations(shopper: $shopper, k: 5) {
    id
    tier
    rails {
      because { product { itemId } }
      items {
        edges {
          node { itemId title price category { name } primaryImage { url } }
          relevance
          terms { visual popularity category visualSimilarity categorySimilarity }
          normalizedPopularity
          store { name }
          distanceKm
        }
      }
    }
  }
}
"""


def run(*, n_products: int, dimension: int, n_shoppers: int, seed: int) -> dict[str, Any]:
    """Fill, then ask for each shopper in turn in every way. Returns the named figures."""
    rng = np.random.default_rng(seed)
    empty_database()
    backbone = fill_catalogue(rng, n_products, dimension)
    _add_photos_and_stock(rng)
    ensure_search_indexes(backbone)
    shoppers = _shoppers(rng, n_shoppers)
    ways = _ways()
    ways[CORE_ALONE] = _core_alone(_answer(ways["graphql_view"], shoppers[0]))
    for shopper in shoppers[:N_WARM]:
        for prepare in ways.values():
            _answer(prepare, shopper)
    times: dict[str, list[float]] = {name: [] for name in ways}
    processor: dict[str, list[float]] = {name: [] for name in ways}
    for shopper in shoppers:
        for name, prepare in ways.items():
            ask = prepare(shopper)
            started, worked = time.perf_counter(), time.thread_time()
            answer = ask()
            times[name].append(time.perf_counter() - started)
            processor[name].append(time.thread_time() - worked)
            _check(answer)
    return {
        "data": f"{n_products} synthetic products, {dimension}-d clusters, seed {seed}",
        "settings": {"shoppers": n_shoppers, "purchases": N_PURCHASES, "k": 5},
        **_added(times, processor),
        "statements": {name: _n_statements(ways[name], shoppers[0]) for name in ways},
    }


def _ways() -> dict[str, Way]:
    """By name, how one shopper's recommendations are asked for."""
    clerk, _ = User.objects.get_or_create(username="clerk", defaults={"is_staff": True})
    client = Client()
    client.force_login(clerk)
    session_key = client.session.session_key
    ranking = RankingSettings.from_profile(default_profile())
    handler = BaseHandler()
    handler.load_middleware()
    path = reverse("graphql")
    view = resolve(path).func

    def service(shopper: Shopper) -> Ask:
        return partial(recommend, shopper=shopper, settings=ranking)

    def graphql_view(shopper: Shopper) -> Ask:
        request = _request(path, shopper)
        request.user = clerk
        return partial(view, request)

    def whole_request(shopper: Shopper) -> Ask:
        request = _request(path, shopper)
        request.COOKIES = {settings.SESSION_COOKIE_NAME: session_key}
        return partial(handler.get_response, request)

    return {"service": service, "graphql_view": graphql_view, "whole_request": whole_request}


def _core_alone(response: HttpResponse) -> Way:
    """The document by graphql-core's own resolvers over the response's data, whoever asks.

    No request, no statement, none of our resolvers: the layer cannot add less than this.
    """
    schema = build_schema((settings.BASE_DIR / "schema.graphql").read_text())
    document = parse(QUERY)
    answer = json.loads(response.content)["data"]

    def prepare(shopper: Shopper) -> Ask:
        variables = {"shopper": shopper.external_id}
        return partial(execute, schema, document, answer, variable_values=variables)

    return prepare


def _answer(prepare: Way, shopper: Shopper) -> object:
    answer = prepare(shopper)()
    _check(answer)
    return answer


def _check(answer: object) -> None:
    """Of HTTP and of graphql-core: that it is no error and has all rails."""
    if isinstance(answer, HttpResponse):
        said = json.loads(answer.content)
    elif isinstance(answer, ExecutionResult):
        said = {"data": answer.data} | ({"errors": answer.errors} if answer.errors else {})
    else:
        return
    if "errors" in said or len(said["data"]["recommendations"]["rails"]) != N_PURCHASES:
        raise RuntimeError(f"expected {N_PURCHASES} rails; got {said}")


def _request(path: str, shopper: Shopper) -> HttpRequest:
    body = {"query": QUERY, "variables": {"shopper": shopper.external_id}}
    headers = {"HOST": "localhost"}
    request = RequestFactory(headers=headers).post(path, body, content_type="application/json")
    request._dont_enforce_csrf_checks = True  # as the test client does; the token costs nothing
    return request


def _added(
    times: dict[str, Sequence[float]], processor: dict[str, Sequence[float]]
) -> dict[str, Any]:
    """Per way its spread, and by how much its median exceeds the service's.

    `python_ms` is the thread's own processor time, which other work on the machine disturbs less.
    graphql-core alone asks no service: all of its time is what the layer adds at least.
    """
    medians = {name: np.median(seconds) * 1000 for name, seconds in times.items()}
    worked = {name: np.median(seconds) * 1000 for name, seconds in processor.items()}
    figures = {}
    for name, seconds in times.items():
        asks_service = name != CORE_ALONE
        figures[name] = spread_ms(seconds) | {
            "python_ms": round(float(worked[name]), 3),
            "added_ms": round(float(medians[name] - asks_service * medians["service"]), 3),
            "added_python_ms": round(float(worked[name] - asks_service * worked["service"]), 3),
            "ratio_to_service": round(float(medians[name] / medians["service"]), 3),
        }
    return figures


def _n_statements(prepare: Way, shopper: Shopper) -> int:
    """Those that go through Django; what `fetch_prepared` sends is not among them."""
    with CaptureQueriesContext(connection) as captured:
        _answer(prepare, shopper)
    return len(captured)


def _add_photos_and_stock(rng: np.random.Generator) -> None:
    """A photo's name for every product, and three stores that stock a tenth of them each."""
    ProductImage.objects.update(image="products/photo.jpg")
    Store.objects.all().delete()
    products = list(Product.objects.values_list("pk", flat=True))
    for n in range(3):
        store = Store.objects.create(name=f"Store {n}", latitude=48 + n, longitude=2 + n)
        chosen = rng.choice(products, len(products) // 10, replace=False)
        Stock.objects.bulk_create(
            Stock(product_id=int(pk), store=store, quantity=1) for pk in chosen
        )


def _shoppers(rng: np.random.Generator, n_shoppers: int) -> list[Shopper]:
    """Women with a place and five purchases each."""
    products = list(Product.objects.filter(gender=Gender.WOMEN).values_list("pk", flat=True))
    shoppers = Shopper.objects.bulk_create(
        Shopper(
            external_id=f"s{n}",
            gender=Gender.WOMEN,
            trendiness=float(rng.random()),
            latitude=48.8,
            longitude=2.3,
        )
        for n in range(n_shoppers)
    )
    Purchase.objects.bulk_create(
        Purchase(shopper=shopper, product_id=int(pk), purchased_at=timezone.now())
        for shopper in shoppers
        for pk in rng.choice(products, N_PURCHASES, replace=False)
    )
    return shoppers
