"""How the parts become one vector: weights and temperatures, chosen on validation photos."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax

from embeddings.nets.finetuned import COLORS, METRIC, Description
from embeddings.training.finetuning.bars import bar_of, heads_that_count
from embeddings.training.finetuning.photos import TrainingPhotos
from embeddings.training.finetuning.task import Described

OnStep = Callable[[str, int, int], None]
K = 5
TEMPERATURES = (0.3, 4.0)  # from, to
N_TRIALS = 600
CHANGED_SHARE = 0.35  # of the numbers, in a trial
STEPS = (0.4, 0.2)  # standard deviation of their logarithms' changes, in either half of the trials
SMALLEST = 0.05  # of a part's weight: small, but its probabilities can be read from the vector
# Of the metric's weight: labels say little of photos of another kind. On validation it brings
# phone photo -> catalogue from .46 to .67; colour pays for it, and stays above its bar.
SMALLEST_METRIC = 0.45
MEAN_SHARE = 0.1
ENOUGH = 1.03  # of a bar: other photos than those that it is chosen by bring a little less


@dataclass(frozen=True)
class Mixture:
    """Weights of all parts, whose squares sum to one, and the labels' temperatures."""

    weights: np.ndarray  # (2 + n_heads,) float32
    temperatures: np.ndarray  # (n_heads,) float32


def vectors(described: Described, mixture: Mixture) -> np.ndarray:
    """(n, dimension) float32 of unit length, as `LabelNetwork.forward` makes them."""
    pieces = [described.metric * mixture.weights[0], described.colors * mixture.weights[1]]
    for index, logits in enumerate(described.logits.values()):
        roots = np.sqrt(softmax(logits / mixture.temperatures[index], axis=1))
        pieces.append(roots * mixture.weights[2 + index])
    return np.concatenate(pieces, axis=1).astype(np.float32)


def precisions(
    photos: TrainingPhotos, rows: np.ndarray, queries: np.ndarray, embedded: np.ndarray
) -> dict[str, float]:
    """Same-label precision@5 of each head.

    `embedded` belongs to `rows`, photo for photo; `queries` are among them. A query's gallery is
    all other rows of its set; queries without the label are left out.
    """
    place = {row: position for position, row in enumerate(rows)}
    found: dict[str, float] = {}
    for set_name in dict.fromkeys(photos.set_names[rows]):
        gallery = np.flatnonzero(photos.set_names[rows] == set_name)
        asked = np.array([place[q] for q in queries if photos.set_names[q] == set_name], np.int64)
        if not len(asked):
            continue
        nearest = gallery[_nearest(embedded, gallery, asked)]
        for head in photos.heads:
            if head.set_name != set_name:
                continue
            targets = photos.targets[head.name][rows]
            known = targets[asked] >= 0
            hits = targets[nearest] == targets[asked][:, None]
            found[head.name] = float(hits[known].mean()) if known.any() else 0.0
    return found


def choose_mixture(
    photos: TrainingPhotos,
    rows: np.ndarray,
    queries: np.ndarray,
    described: Described,
    *,
    seed: int = 42,
    on_step: OnStep | None = None,
) -> Mixture:
    """The mixture whose worst label comes nearest to its bar: at random from equal weights, of all
    parts but the labels that have no bar, and from there to whatever is better.
    """
    names = list(described.logits)
    counting = heads_that_count(names)

    def score(mixture: Mixture) -> float:
        return _score(precisions(photos, rows, queries, vectors(described, mixture)))

    rng = np.random.default_rng(seed)
    counts = [name in counting for name in names]
    best = _mixture(np.array([1.0, 1.0, *counts]), np.ones(len(names)))
    best_score = score(best)
    for number in range(N_TRIALS):
        trial = _near(best, STEPS[2 * number // N_TRIALS], rng)
        trial_score = score(trial)
        if trial_score > best_score:
            best, best_score = trial, trial_score
        if on_step:
            on_step("mixture of the vector", number + 1, N_TRIALS)
    return best


def calibration_temperature(logits: np.ndarray, targets: np.ndarray) -> float:
    """The temperature that makes known targets likeliest: logits (n, n_labels), targets (n,).

    Source: Guo et al., On Calibration of Modern Neural Networks, ICML 2017, section 4.2.
    """
    known = targets >= 0
    if not known.any():
        return 1.0

    def surprise(logarithm: float) -> float:
        likelihoods = log_softmax(logits[known] / np.exp(logarithm), axis=1)
        return -float(likelihoods[np.arange(known.sum()), targets[known]].mean())

    found = minimize_scalar(surprise, bounds=(np.log(0.2), np.log(5.0)), method="bounded")
    return float(np.exp(found.x))


def _near(mixture: Mixture, step: float, rng: np.random.Generator) -> Mixture:
    """The same with some of its numbers a little larger or smaller."""
    n = len(mixture.weights) + len(mixture.temperatures)
    changes = np.exp(rng.normal(0, step, n) * (rng.random(n) < CHANGED_SHARE))
    of_weights, of_temperatures = np.split(changes, [len(mixture.weights)])
    temperatures = np.clip(mixture.temperatures * of_temperatures, *TEMPERATURES)
    return _mixture(mixture.weights * of_weights, temperatures)


def _mixture(weights: np.ndarray, temperatures: np.ndarray) -> Mixture:
    unit = weights / np.linalg.norm(weights)
    raised = np.maximum(unit, [SMALLEST_METRIC] + [SMALLEST] * (len(unit) - 1))
    raised = raised / np.linalg.norm(raised)
    return Mixture(raised.astype(np.float32), np.asarray(temperatures, np.float32))


def _score(found: Mapping[str, float]) -> float:
    """The least of the shares of their bars, and a little of their mean up to what is enough."""
    counting = heads_that_count(found)
    shares = [value / (bar_of(name) or 1) for name, value in found.items() if name in counting]
    return float(np.min(shares) + MEAN_SHARE * np.mean(np.minimum(shares, ENOUGH)))


def _nearest(embedded: np.ndarray, gallery: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """Positions in `gallery` of each asked row's K nearest others: (n, K)."""
    similarity = embedded[asked] @ embedded[gallery].T
    similarity[asked[:, None] == gallery[None, :]] = -np.inf
    top = np.argpartition(-similarity, K, axis=1)[:, :K] if len(gallery) > K else None
    if top is None:
        return np.argsort(-similarity, axis=1)[:, : max(1, len(gallery) - 1)]
    return top


def mixture_of(description: Description, names: Iterable[str]) -> Mixture:
    """Another backbone's, for heads of the same names.

    Raises:
        ValueError: it has other heads.
    """
    names = tuple(names)
    if tuple(description.heads) != names:
        raise ValueError(
            f"{description.name} tells {', '.join(description.heads)}, and these photos say "
            f"{', '.join(names)}: expected the same"
        )
    return Mixture(
        np.array([description.weights[part] for part in (METRIC, COLORS, *names)], np.float32),
        np.array([description.temperatures[name] for name in names], np.float32),
    )


def as_plain(mixture: Mixture, names: tuple[str, ...]) -> dict[str, dict[str, float]]:
    """For a JSON file."""
    parts = (METRIC, COLORS, *names)
    return {
        "weights": dict(zip(parts, map(float, mixture.weights), strict=True)),
        "temperatures": dict(zip(names, map(float, mixture.temperatures), strict=True)),
    }
