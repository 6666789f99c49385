"""The stages of an evaluation, from vectors to the tables of evaluation.json."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial, reduce
from typing import Any, TypeVar

import numpy as np

from recommender.evaluation.candidates import unmasked_vectors
from recommender.evaluation.catalogue import Catalogue
from recommender.evaluation.experiment import (
    Ranked,
    Variant,
    Vectors,
    ablation_row,
    ablation_variants,
    backbone_row,
    not_applicable_row,
    rank,
    trendiness_rows,
)
from recommender.evaluation.holdout import held_out_purchases, held_out_ranks, held_out_rows
from recommender.evaluation.visual import visual_rows
from recommender.ranking import RankingSettings

Step = TypeVar("Step")
OnProgress = Callable[[str, int, int], None]  # stage, steps done, steps in all


def silent(stage: str, done: int, total: int) -> None:
    """Nobody watches."""


@dataclass(frozen=True)
class Evaluation:
    """One evaluation. Tables 2 and 3 use the first of the compared backbones."""

    catalogue: Catalogue
    compared: Sequence[Vectors]
    ranking: RankingSettings
    seed: int
    on_progress: OnProgress = silent

    def results(self) -> dict[str, Any]:
        """Everything that is measured, as evaluation.json holds it."""
        _ = self.unmasked  # first, as embedding is what takes long
        return {
            "tables": {
                "backbones": self._backbones(),
                "ablation": self._ablation(),
                "trendiness": trendiness_rows(
                    self.catalogue,
                    self.compared[0].backbone,
                    self.ranked[self.compared[0].backbone.name],
                    seed=self.seed,
                ),
            },
            "held_out": self._held_out(),
            "visual": self._visual(),
        }

    @cached_property
    def unmasked(self) -> dict[str, tuple[Vectors | None, str]]:
        """Per backbone the vectors of the whole photos, or None and why there are none."""
        return {
            vectors.backbone.name: unmasked_vectors(
                self.catalogue,
                vectors,
                partial(self.on_progress, f"Embedding whole photos with {vectors.backbone}"),
            )
            for vectors in self.compared
        }

    @cached_property
    def ranked(self) -> dict[str, Ranked]:
        """Per backbone what the full model recommends."""
        return {
            vectors.backbone.name: rank(self.catalogue, vectors, self._full)
            for vectors in self._watched("Ranking under each backbone", self.compared)
        }

    @property
    def _full(self) -> Variant:
        return Variant("full", self.ranking)

    def _backbones(self) -> list[dict[str, Any]]:
        return [
            backbone_row(
                self.catalogue,
                vectors,
                self.ranked[vectors.backbone.name],
                self.ranking,
                seed=self.seed,
            )
            for vectors in self._watched("Measuring each backbone", self.compared)
        ]

    def _ablation(self) -> list[dict[str, Any]]:
        vectors = self.compared[0]
        whole, reason = self.unmasked[vectors.backbone.name]
        rows = []
        for variant in self._watched("Ablation", ablation_variants(self.ranking)):
            if variant.mask_method and whole is None:
                rows.append(not_applicable_row(variant, vectors.backbone, reason))
                continue
            ranked = self._ranked_by(variant, whole if variant.mask_method else vectors)
            rows.append(ablation_row(vectors.backbone, variant, ranked, seed=self.seed))
        return rows

    def _ranked_by(self, variant: Variant, vectors: Vectors) -> Ranked:
        """The full model is the first table's."""
        if variant == self._full:
            return self.ranked[vectors.backbone.name]
        return rank(self.catalogue, vectors, variant)

    def _held_out(self) -> dict[str, Any]:
        """Every ranker on the same shoppers and candidates: products that have all the vectors."""
        has_vector = reduce(np.logical_and, [vectors.has_vector for vectors in self.compared])
        cases, left_out = held_out_purchases(self.catalogue, has_vector)
        ranks = held_out_ranks(
            catalogue=self.catalogue,
            cases=cases,
            vectors={vectors.backbone.name: vectors.vectors for vectors in self.compared},
            has_vector=has_vector,
            settings=self.ranking,
            on_progress=partial(self.on_progress, "Held-out purchases"),
        )
        rows = held_out_rows(cases, ranks, k=self.ranking.k, seed=self.seed) if cases else []
        return {"n_shoppers": len(cases), "left_out": left_out, "rankers": rows}

    def _visual(self) -> list[dict[str, Any]]:
        rows = []
        for vectors in self._watched("Visual neighbours", self.compared):
            whole, _ = self.unmasked[vectors.backbone.name]
            rows += visual_rows(self.catalogue, vectors, whole, k=self.ranking.k, seed=self.seed)
        return rows

    def _watched(self, stage: str, steps: Sequence[Step]) -> Iterator[Step]:
        for done, step in enumerate(steps):
            self.on_progress(stage, done, len(steps))
            yield step
        self.on_progress(stage, len(steps), len(steps))
