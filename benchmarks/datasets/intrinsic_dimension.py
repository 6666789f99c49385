"""How many directions a cloud of vectors really has around a point, from neighbour distances."""

import numpy as np
from numpy.typing import NDArray


def local_intrinsic_dimension(distances: NDArray[np.floating]) -> float:
    """The maximum-likelihood estimate, from the distances of q queries to their k neighbours.

    Args:
        distances: (q, k) ascending Euclidean distances; rows with zeros (copies) use the rest.

    Source: Levina and Bickel, NIPS 2004, eq. 8, averaged over queries by their inverses as MacKay
    and Ghahramani (2005) correct it.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log(distances[:, -1:] / distances[:, :-1])  # (q, k - 1)
    logs = np.where(np.isfinite(logs), logs, np.nan)
    inverses = np.nanmean(logs, axis=1)
    return float(1 / np.nanmean(inverses[inverses > 0]))


def nearest_distances(
    vectors: NDArray[np.float16], queries: NDArray[np.float16], k: int, block_rows: int = 50_000
) -> NDArray[np.float32]:
    """(q, k) ascending Euclidean distances of unit `queries` to their nearest unit `vectors`.

    A query that is among the vectors is its own first neighbour: drop that column. Cost: one pass
    over the vectors, `block_rows` at a time.
    """
    best = np.full((len(queries), k), -np.inf, dtype=np.float32)
    asked = queries.astype(np.float32)
    for start in range(0, len(vectors), block_rows):
        cosines = asked @ vectors[start : start + block_rows].astype(np.float32).T
        both = np.concatenate([best, cosines], axis=1)
        best = -np.partition(-both, k - 1, axis=1)[:, :k]
    return np.sqrt(np.maximum(0, 2 - 2 * np.sort(best, axis=1)[:, ::-1]))
