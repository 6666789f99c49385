"""From a fine-tuned backbone's vectors back to the probabilities that they are made of."""

import numpy as np

from embeddings.nets.finetuned import Description


def probabilities(vectors: np.ndarray, description: Description) -> dict[str, np.ndarray]:
    """Each head's calibrated probabilities, (n, n_values), from (n, dimension) unit vectors.

    A head's part of a vector is its weight times the roots of its probabilities at one temperature;
    raised to the ratio of that to the calibrated one and made to add up to one, they are what the
    calibrated temperature would have given.

    Raises:
        ValueError: the vectors are not this backbone's.
    """
    if vectors.shape[1] != description.dimension:
        raise ValueError(
            f"expected vectors of {description.dimension} values, got {vectors.shape[1]}"
        )
    found, stop = {}, description.dimension
    for head, values in reversed(description.heads.items()):
        start = stop - len(values)
        roots = np.maximum(vectors[:, start:stop], 0) / description.weights[head]
        ratio = description.temperatures[head] / description.calibration[head]
        raised = roots.astype(np.float64) ** (2 * ratio)
        total = raised.sum(axis=1, keepdims=True)
        found[head] = raised / np.where(total > 0, total, 1)
        stop = start
    return dict(reversed(found.items()))
