"""The shop that is loaded: synthetic products, stores and shoppers, vectors of a real backbone."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
from django.conf import settings

from benchmarks.datasets.photo_catalogue import DEFAULT_WEIGHTS
from benchmarks.graphql_queries import fill_shop
from benchmarks.stages import Stages
from benchmarks.synthetic import empty_database, fill_catalogue
from catalog.models import Product
from embeddings.indexes import ensure_search_indexes
from embeddings.services import choose_backbone, register_backbone
from fashrec_site.access.keys import issue_key
from fashrec_site.models import ApiKey
from shoppers.callers import Scope

PURCHASES_PER_PRODUCT = 4
PURCHASES_PER_SHOPPER = 5  # as in the simulated year
LAYOUT_VERSION = 2  # count up to fill anew what earlier versions filled
KEY_NAME = "load benchmark"


def use_weights(folder: Path | None) -> None:
    """Let this process and its children find weights there, where nothing else is configured."""
    folder = folder or (DEFAULT_WEIGHTS if DEFAULT_WEIGHTS.exists() else None)
    if folder is not None and settings.FASHREC_WEIGHTS_DIR is None:
        os.environ["FASHREC_WEIGHTS_DIR"] = str(folder)
        settings.FASHREC_WEIGHTS_DIR = folder


def ensure_shop(n_products: int, seed: int, stages: Stages) -> dict[str, Any]:
    """Fill and index the home's database, unless an earlier run did; what it holds.

    The vectors are random clusters, but of the best backbone that has weights here, so that photos
    can be searched with.
    """
    wanted = {"n_products": n_products, "seed": seed, "version": LAYOUT_VERSION}
    marker = Path(settings.FASHREC_HOME) / "shop.json"
    if marker.is_file():
        facts = json.loads(marker.read_text(encoding="utf-8"))
        if wanted.items() <= facts.items() and Product.objects.count() == n_products:
            return facts
    marker.unlink(missing_ok=True)
    n_purchases = PURCHASES_PER_PRODUCT * n_products
    n_shoppers = n_purchases // PURCHASES_PER_SHOPPER
    with stages.stage("Filling the shop"):
        empty_database()
        backbone = register_backbone(name=choose_backbone().name)
        rng = np.random.default_rng(seed)
        fill_catalogue(rng, n_products, backbone.dimension, backbone)
        fill_shop(n_products, n_purchases, n_shoppers)
    with stages.stage("Indexing"):
        ensure_search_indexes(backbone)
    facts = wanted | {
        "backbone": backbone.name,
        "dimension": backbone.dimension,
        "n_shoppers": n_shoppers,
        "n_purchases": n_purchases,
    }
    marker.write_text(json.dumps(facts), encoding="utf-8")
    return facts


def new_key() -> str:
    """A key of this run, which reads any shopper's recommendations."""
    ApiKey.objects.filter(name=KEY_NAME).delete()
    return issue_key(name=KEY_NAME, scopes=[Scope.READ_SHOPPERS])[1]
