"""A LanceDB table with gender and popularity beside the vector, and the ranking in Python."""

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import lancedb
import numpy as np
import pyarrow as pa

from benchmarks.datasets.catalogue_data import GENDERS
from benchmarks.protocol.contenders import Answer
from benchmarks.protocol.oracle import World
from benchmarks.protocol.questions import Question, Weights
from benchmarks.rivals.reranking import N_CANDIDATES, reranked
from benchmarks.stages import Stages

BLOCK_ROWS = 20_000
REFINE_FACTOR = 4  # times N_CANDIDATES are read back in full: the index is quantised
N_PROBES = 32


class LanceReranked:
    """Its documented way: an IVF_PQ index, a `where` on the gender, a refined search."""

    name = "lancedb_rerank"

    def __init__(self, world: World, folder: Path, stages: Stages) -> None:
        started = time.perf_counter()
        self.world, self.norm = world, world.normalized_popularity()
        shutil.rmtree(folder, ignore_errors=True)
        with stages.stage("LanceDB", len(world.data)) as report:
            table = lancedb.connect(folder).create_table(
                "products", self._batches(report), schema=self._schema(), mode="overwrite"
            )
            if len(world.data) >= 10_000:
                table.create_index(metric="cosine")
                table.create_scalar_index("gender", index_type="BITMAP")
        self.table = table
        self.facts = {
            "library": f"lancedb {lancedb.__version__}",
            "index": "IVF_PQ" if len(world.data) >= 10_000 else "none",
            "candidates_per_purchase": N_CANDIDATES,
            "build_seconds": round(time.perf_counter() - started, 1),
        }

    def ask(self, question: Question, weights: Weights) -> Answer:
        """One filtered search for each purchase."""
        return Answer([self._rail(bought, question, weights) for bought in question.bought])

    def _rail(self, bought: int, question: Question, weights: Weights) -> list[tuple[int, float]]:
        genders = ", ".join(f"'{GENDERS[code]}'" for code in question.gender_codes)
        found = (
            self.table.search(self.world.data.vectors[bought].astype(np.float32))
            .distance_type("cosine")
            .where(f"gender IN ({genders})", prefilter=True)
            .select(["position", "_distance"])
            .nprobes(N_PROBES)
            .refine_factor(REFINE_FACTOR)
            .limit(N_CANDIDATES)
            .to_arrow()
        )
        positions = found["position"].to_numpy()
        cosines = 1 - found["_distance"].to_numpy()
        return reranked(self.world, self.norm, question, weights, bought, positions, cosines)

    def _schema(self) -> pa.Schema:
        vector = pa.list_(pa.float32(), self.world.data.dimension)
        return pa.schema([("position", pa.int64()), ("gender", pa.string()), ("vector", vector)])

    def _batches(self, report: object) -> Iterator[pa.RecordBatch]:
        data = self.world.data
        for start in range(0, len(data), BLOCK_ROWS):
            rows = slice(start, min(start + BLOCK_ROWS, len(data)))
            flat = pa.array(data.vectors[rows].astype(np.float32).ravel())
            genders = [GENDERS[code] for code in data.genders[rows]]
            yield pa.RecordBatch.from_arrays(
                [
                    pa.array(np.arange(rows.start, rows.stop)),
                    pa.array(genders),
                    pa.FixedSizeListArray.from_arrays(flat, data.dimension),
                ],
                schema=self._schema(),
            )
            report(rows.stop)
