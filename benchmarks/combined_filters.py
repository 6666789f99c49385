"""Gender, a category of about 5%, a price range and stock nearby: recall, completeness and cost."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.datasets.catalogue_data import CatalogueData
from benchmarks.figures import spread_ms
from benchmarks.protocol.contenders import Answer, ServingPath
from benchmarks.protocol.oracle import Formula, World
from benchmarks.protocol.quality import answer_figures, judge, quality_figures
from benchmarks.protocol.questions import MAIN_WEIGHTS, Filters, Question, Weights
from benchmarks.protocol.timing import InTurn
from recommender.availability import Place, stores_within_km

if TYPE_CHECKING:
    from benchmarks.recommendations import Bench

CATEGORY_SHARE = 0.05  # of the products that a shopper's gender may see
PRICE_QUANTILES = (0.25, 0.75)  # of that category's prices
RADIUS_KM = 25.0
K = 5
UNFILTERED = "gender"

FilterOf = Callable[[Question], Filters]


@dataclass(frozen=True)
class FilteredPath:
    """The service's own choice of path, asked with filters."""

    name: str
    path: ServingPath
    filters_of: FilterOf

    def ask(self, question: Question, weights: Weights) -> Answer:
        """The question, narrowed."""
        return self.path.ask(question.filtered(self.filters_of(question)), weights)


def measure_filters(bench: "Bench") -> dict[str, Any]:
    """Each filter added to the ones before it, asked in turn with the unfiltered question."""
    world = bench.world(bench.options.popularity[0])
    path = ServingPath(UNFILTERED, bench.backbone, None, K)
    levels = _levels(bench, world)
    contenders = [FilteredPath(name, path, filters_of) for name, filters_of in levels.items()]
    in_turn = InTurn([(contender, len(bench.questions)) for contender in contenders])
    with bench.stages.stage("filters", len(bench.questions)) as report:
        in_turn.run(bench.questions, MAIN_WEIGHTS, report)
    return {
        "weights": str(MAIN_WEIGHTS),
        "radius_km": RADIUS_KM,
        **{c.name: _figures(bench, world, c, in_turn) for c in contenders},
    }


def _levels(bench: "Bench", world: World) -> dict[str, FilterOf]:
    categories = dict.fromkeys({question.gender for question in bench.questions}, 0)
    for question in bench.questions:
        categories[question.gender] = _category_near(bench.data, question)
    prices = {category: _prices(bench.data, category) for category in categories.values()}
    nearby = {
        city: tuple(key - 1 for key in stores_within_km(Place(*place), RADIUS_KM))
        for city, place in enumerate(world.stores.cities.tolist())
    }

    def with_category(question: Question) -> Filters:
        return Filters(category=categories[question.gender])

    def with_price(question: Question) -> Filters:
        category = categories[question.gender]
        return Filters(category=category, price_cents=prices[category])

    def with_stock(question: Question) -> Filters:
        category = categories[question.gender]
        return Filters(category, prices[category], nearby[question.city])

    return {
        UNFILTERED: lambda question: Filters(),
        "gender_category": with_category,
        "gender_category_price": with_price,
        "gender_category_price_stock": with_stock,
    }


def _category_near(data: CatalogueData, question: Question) -> int:
    """The category whose share of what the shopper may see is nearest to CATEGORY_SHARE."""
    visible = np.isin(data.genders, question.gender_codes)
    counts = np.bincount(data.categories[visible], minlength=len(data.category_names))
    return int(np.argmin(np.abs(counts / visible.sum() - CATEGORY_SHARE)))


def _prices(data: CatalogueData, category: int) -> tuple[int, int]:
    low, high = np.quantile(data.prices_cents[data.categories == category], PRICE_QUANTILES)
    return int(low), int(high)


def _figures(
    bench: "Bench", world: World, contender: FilteredPath, in_turn: InTurn
) -> dict[str, Any]:
    questions = [q.filtered(contender.filters_of(q)) for q in bench.questions]
    formula = Formula(world, questions)
    (exact,) = bench.exact(formula, [MAIN_WEIGHTS], contender.name)
    answers, seconds = in_turn.answers[contender.name], in_turn.seconds[contender.name]
    p95 = np.percentile(seconds, 95) / np.percentile(in_turn.seconds[UNFILTERED], 95)
    return (
        {"share_of_products": _share(world, questions)}
        | quality_figures(judge(formula, MAIN_WEIGHTS, exact, answers))
        | answer_figures(answers)
        | spread_ms(seconds)
        | {"p95_ratio_to_unfiltered": round(float(p95), 2)}
    )


def _share(world: World, questions: list[Question]) -> float:
    """The mean share of all products that a question leaves."""
    asked = questions[:20]
    allowed = Formula(world, asked).allowed(slice(0, len(world.data)))
    return round(float(allowed.mean()), 6)
