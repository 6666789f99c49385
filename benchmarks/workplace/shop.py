"""A shop as curators find it after a year: products, purchases, events, answers, deliveries."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from django.conf import settings
from django.db import connection
from django.utils import timezone

from benchmarks.graphql_queries import N_SHOPPERS, fill_shop
from benchmarks.stages import Stages
from benchmarks.synthetic import empty_database, fill_catalogue
from catalog.models import Product
from fashrec_site.models import WebhookEndpoint
from recommender.models import RecommendationLog
from shoppers.models import Shopper

LAYOUT_VERSION = 1  # count up to fill anew what earlier versions filled
DIMENSION = 64  # no list reads a vector
N_EVENTS_PER_PRODUCT = 4
N_SESSIONS = 20_000
N_DELIVERIES = 50_000
N_ANSWERS = 20_000

OTHERS = "shoppers_event, shoppers_anonymoussession, fashrec_site_webhookdelivery, catalog_store"
FILL = (
    "UPDATE catalog_product SET is_active = false WHERE id %% 50 = 0",
    """UPDATE embeddings_embedding SET state = 'failed', vector = NULL, error = 'it is a cat'
       WHERE id %% 100 = 0 AND NOT EXISTS (SELECT FROM embeddings_productvector AS v
                                           WHERE v.embedding_id = embeddings_embedding.id)""",
    """INSERT INTO shoppers_anonymoussession (token_sha256, created_at)
       SELECT md5(n::text), now() - n * interval '1 minute'
       FROM generate_series(1, %(n_sessions)s) AS n""",
    """INSERT INTO shoppers_event (shopper_id, product_id, kind, occurred_at, received_at, key)
       SELECT s.first + (n * 7) %% %(n_shoppers)s, p.first + (n * 7919) %% %(n_products)s,
           (ARRAY['view', 'view', 'view', 'cart', 'favourite'])[1 + n %% 5],
           now() - n * interval '90 days' / %(n_events)s, now(), 'k' || n
       FROM generate_series(1, %(n_events)s) AS n,
           (SELECT min(id) AS first FROM shoppers_shopper) AS s,
           (SELECT min(id) AS first FROM catalog_product) AS p""",
    """INSERT INTO fashrec_site_webhookdelivery (id, endpoint_id, kind, payload, state, attempts,
           next_attempt_at, created_at, error)
       SELECT gen_random_uuid(), %(endpoint)s, 'product.embedded', '{}', 'delivered', 1,
           now(), now() - n * interval '1 minute', ''
       FROM generate_series(1, %(n_deliveries)s) AS n""",
)


def ensure_shop(n_products: int, n_purchases: int, seed: int, stages: Stages) -> dict[str, Any]:
    """Fill the home's database, unless an earlier run did; what it holds."""
    wanted = {"n_products": n_products, "n_purchases": n_purchases, "seed": seed}
    wanted["version"] = LAYOUT_VERSION
    marker = Path(settings.FASHREC_HOME) / "shop.json"
    if marker.is_file():
        facts = json.loads(marker.read_text(encoding="utf-8"))
        if wanted.items() <= facts.items() and Product.objects.count() == n_products:
            return facts
    marker.unlink(missing_ok=True)
    with stages.stage("Filling the shop"):
        empty_database()
        fill_catalogue(np.random.default_rng(seed), n_products, DIMENSION)
        fill_shop(n_products, n_purchases)
    n_events = N_EVENTS_PER_PRODUCT * n_products
    with stages.stage("Events, sessions, answers, deliveries"):
        _fill_others(n_products, n_events)
    facts = wanted | {
        "n_shoppers": N_SHOPPERS,
        "n_events": n_events,
        "n_sessions": N_SESSIONS,
        "n_webhook_deliveries": N_DELIVERIES,
        "n_logged_answers": N_ANSWERS,
    }
    marker.write_text(json.dumps(facts), encoding="utf-8")
    return facts


def _fill_others(n_products: int, n_events: int) -> None:
    endpoint, _ = WebhookEndpoint.objects.get_or_create(name="erp", url="http://127.0.0.1:9/")
    values = {
        "n_sessions": N_SESSIONS,
        "n_shoppers": N_SHOPPERS,
        "n_products": n_products,
        "n_events": n_events,
        "n_deliveries": N_DELIVERIES,
        "endpoint": endpoint.pk,
    }
    with connection.cursor() as cursor:
        for statement in FILL:
            cursor.execute(statement, values)
    _log_answers()
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def _log_answers() -> None:
    """Sets as `recommend` logs them for three purchases."""
    shoppers = list(Shopper.objects.values_list("pk", flat=True))
    products = list(Product.objects.values_list("pk", flat=True)[:15])
    terms = {"visual": 0.6, "popularity": 0.2, "category": 0.0, "relevance": 0.8}
    items = [{"product": pk, "rail": place // 5, **terms} for place, pk in enumerate(products)]
    RecommendationLog.objects.bulk_create(
        (
            RecommendationLog(
                shopper_id=shoppers[n % len(shoppers)],
                tier="PERSONAL",
                settings={"k": 5, "weight_visual": 0.7, "weight_popularity": 0.3},
                rails=[{"product": pk} for pk in products[:3]],
                items=items,
                n_statements=1 + n % 3,
                created_at=timezone.now(),
            )
            for n in range(N_ANSWERS)
        ),
        batch_size=1_000,
    )
