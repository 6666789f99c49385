"""Recommendations measured: quality against the exact formula, latency, throughput, and rivals."""

import argparse
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.database import category_similarity, server_facts
from benchmarks.datasets.catalogue_data import CatalogueData
from benchmarks.datasets.loading import DataRequest, load_data
from benchmarks.datasets.stores import StoreNetwork, store_network
from benchmarks.figures import spread_ms
from benchmarks.filling.fill import ensure_filled, set_popularity
from benchmarks.protocol.contenders import Contender, ServingPath
from benchmarks.protocol.oracle import ExactTop, Formula, World, exact_tops
from benchmarks.protocol.quality import answer_figures, judge, quality_figures, relevance_error
from benchmarks.protocol.questions import (
    MAIN_WEIGHTS,
    WEIGHTS,
    Question,
    Weights,
    draw_questions,
)
from benchmarks.protocol.timing import InTurn, throughput
from benchmarks.rivals.choice import build_rivals, missing_rivals
from benchmarks.rivals.naive_loop import NaiveLoop
from benchmarks.stages import Stages
from embeddings.indexes import ensure_search_indexes
from embeddings.models import Backbone

K = 5
INDEX, EXACT, LOOP = "index", "exact_sql", "naive_loop"


@dataclass(frozen=True)
class Bench:
    """A filled and indexed database, whom is asked for, and what the command line wants."""

    options: argparse.Namespace
    data: CatalogueData
    stores: StoreNetwork
    backbone: Backbone
    questions: list[Question]
    stages: Stages

    @cached_property
    def category_similarity(self) -> np.ndarray:
        """(n_categories, n_categories) CatSim, from the database's own view."""
        return category_similarity()

    def world(self, kind: str) -> World:
        """The catalogue once its products have the popularity `kind`."""
        popularity = set_popularity(self.data, kind, self.stages)
        return World(self.data, popularity, self.category_similarity, self.stores)

    def serving(self, name: str) -> ServingPath:
        """Our index path or our exact one."""
        path = "index" if name == INDEX else "exact"
        options = self.options
        return ServingPath(name, self.backbone, path, K, options.start)

    def exact(self, formula: Formula, cases: Sequence[Weights], name: str) -> list[ExactTop]:
        """The oracle's answers to the formula's questions."""
        with self.stages.stage(f"exact answers: {name}", len(self.data)) as report:
            return exact_tops(formula, cases, K, report)


def open_bench(options: argparse.Namespace, home: Path, stages: Stages) -> Bench:
    """Data, database and indexes; what an earlier run left is used where it is the same."""
    cache = options.cache or home.parent / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    request = DataRequest(
        options.products, options.data, options.photos, options.weights_dir, cache
    )
    data = load_data(request, stages)
    stores = store_network(len(data))
    backbone = ensure_filled(data, stores, stages)
    with stages.stage("search vectors and indexes"):
        ensure_search_indexes(backbone, on_progress=stages.show)
    questions = draw_questions(data, options.shoppers, len(stores.cities), options.seed)
    return Bench(options, data, stores, backbone, questions, stages)


def measure(bench: Bench) -> dict[str, Any]:
    """Every case of the ranking, without further filters, and the throughput in between."""
    cases: list[dict[str, Any]] = []
    figures: dict[str, Any] = {}
    for kind in bench.options.popularity:
        world = bench.world(kind)
        formula = Formula(world, bench.questions)
        exact = dict(zip(WEIGHTS, bench.exact(formula, WEIGHTS, kind), strict=True))
        for weights in WEIGHTS:
            is_main = weights == MAIN_WEIGHTS and kind == bench.options.popularity[0]
            contenders = _contenders(bench, world, with_rivals=is_main)
            measured = measure_case(bench, formula, weights, exact[weights], contenders)
            cases.append({"weights": str(weights), "popularity": kind, **measured})
            if is_main:
                figures["headline"] = _headline(cases[-1])
                figures["throughput"] = _throughput(bench)
    figures["headline"] |= _worst(cases) | _flat_throughput(figures["throughput"])
    return figures | {"cases": cases}


def measure_case(
    bench: Bench,
    formula: Formula,
    weights: Weights,
    exact: ExactTop,
    contenders: Sequence[tuple[Contender, int]],
) -> dict[str, Any]:
    """One set of weights: every contender's figures by its name, ratios with the index path's."""
    in_turn = InTurn(contenders)
    with bench.stages.stage(f"{weights}", len(formula.questions)) as report:
        in_turn.run(formula.questions, weights, report)
    figures: dict[str, Any] = {}
    for contender, n_asked in contenders:
        answers = in_turn.answers[contender.name]
        asked = Formula(formula.world, formula.questions[:n_asked])
        part = ExactTop(*(rows[: len(answers) * 5] for rows in (exact.positions, exact.relevance)))
        figures[contender.name] = (
            quality_figures(judge(asked, weights, part, answers))
            | {"max_relevance_error": relevance_error(asked, weights, answers, K)}
            | answer_figures(answers)
            | spread_ms(in_turn.seconds[contender.name])
            | getattr(contender, "facts", {})
        )
    for slow in figures.keys() - {INDEX}:
        figures[INDEX][f"ratio_to_{slow}"] = in_turn.ratio(slow, INDEX)
    if LOOP in figures and EXACT in figures:
        figures[EXACT]["ratio_to_naive_loop"] = in_turn.ratio(LOOP, EXACT)
    return figures


def _contenders(bench: Bench, world: World, *, with_rivals: bool) -> list[tuple[Contender, int]]:
    """Who is asked, and how many of the questions."""
    options, n_shoppers = bench.options, len(bench.questions)
    chosen: list[tuple[Contender, int]] = [
        (bench.serving(INDEX), n_shoppers),
        (bench.serving(EXACT), min(options.exact_shoppers, n_shoppers)),
    ]
    if with_rivals and options.loop_shoppers:
        chosen.append((NaiveLoop(world), min(options.loop_shoppers, n_shoppers)))
    if with_rivals:
        folder = Path(options.home) / "rivals"
        rivals = build_rivals(options.rivals, world, folder, bench.stages)
        chosen += [(rival, min(options.rival_shoppers, n_shoppers)) for rival in rivals]
    return chosen


def _throughput(bench: Bench) -> dict[str, Any]:
    with bench.stages.stage("four clients"):
        path = bench.serving(INDEX)
        return throughput(path, bench.questions, MAIN_WEIGHTS, seconds=bench.options.window)


def _headline(case: dict[str, Any]) -> dict[str, Any]:
    """The figures of issue and README, of the main case."""
    names = ("recall_at_5", "recall_at_5_lower_95", "mean_regret", "proven_share", "p50_ms")
    names += ("p95_ms", "statements_per_shopper", "share_widened")
    ratios = [name for name in case[INDEX] if name.startswith("ratio_to_")]
    chosen = {name: case[INDEX][name] for name in (*names, *ratios) if name in case[INDEX]}
    if (loop := case.get(LOOP)) and "ratio_to_naive_loop" not in chosen:
        chosen["ratio_to_naive_loop"] = loop["p50_ms"]
    return {"weights": case["weights"], "popularity": case["popularity"], **chosen}


def _worst(cases: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return {
        "worst_recall_at_5": min(case[INDEX]["recall_at_5"] for case in cases),
        "worst_p95_ms": max(case[INDEX]["p95_ms"] for case in cases),
    }


def _flat_throughput(figures: dict[str, Any]) -> dict[str, Any]:
    return {"shoppers_per_second": figures["shoppers_per_second"]}


def run(options: argparse.Namespace, stages: Stages) -> dict[str, Any]:
    """Open, measure each wanted part, and return the named figures."""
    home = Path(options.home)
    bench = open_bench(options, home, stages)
    figures: dict[str, Any] = {
        "data": bench.data.description(),
        "settings": {
            "shoppers": len(bench.questions),
            "rails": 5 * len(bench.questions),
            "k": K,
            "seed": options.seed,
            "postgresql": server_facts(),
        },
        "not_measured": missing_rivals(options.rivals),
    }
    figures |= measure(bench)
    for part in options.parts:
        figures[part] = _part(part, bench)
    return figures | {"seconds": stages.seconds}


def _part(name: str, bench: Bench) -> Any:
    """A part's figures, or what went wrong: an hour's other figures are not thrown away for it."""
    try:
        return _PARTS[name](bench)
    except Exception as error:
        traceback.print_exc()
        return {"failed": f"{type(error).__name__}: {error}"}


def _filters(bench: Bench) -> Any:
    from benchmarks.combined_filters import measure_filters

    return measure_filters(bench)


def _purchases(bench: Bench) -> Any:
    from benchmarks.purchase_writes import measure_purchases

    return measure_purchases(bench)


def _churn(bench: Bench) -> Any:
    from benchmarks.churn import measure_churn

    return measure_churn(bench)


_PARTS = {"filters": _filters, "purchases": _purchases, "churn": _churn}
