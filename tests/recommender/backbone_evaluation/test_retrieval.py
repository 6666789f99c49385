"""Rankings and their metrics, against answers by hand, scikit-learn and a naive oracle."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, ndcg_score

from recommender.backbone_evaluation.retrieval import (
    mapped_value,
    measure,
    ranking_values,
    same_value,
)


def test_one_ranking_has_the_values_computed_by_hand():
    hits = np.array([[False, True, False, False, True, False, False]])
    values = {name: float(value[0]) for name, value in ranking_values(hits).items()}
    ideal = 1 + 1 / np.log2(3)
    assert values == pytest.approx(
        {
            "precision_at_5": 2 / 5,
            "recall_at_1": 0,
            "recall_at_5": 1,
            "recall_at_10": 1,
            "average_precision": (1 / 2 + 2 / 5) / 2,
            "ndcg_at_10": (1 / np.log2(3) + 1 / np.log2(6)) / ideal,
        }
    )


def test_a_ranking_without_a_hit_has_precision_0_and_nothing_else():
    values = ranking_values(np.zeros((1, 6), bool))
    assert values.pop("precision_at_5") == 0
    assert all(np.isnan(value[0]) for value in values.values())


def test_average_precision_and_ndcg_agree_with_scikit_learn():
    rng = np.random.default_rng(3)
    scores, relevant = rng.random((20, 50)), rng.random((20, 50)) < 0.2
    order = np.argsort(-scores, axis=1)
    found = ranking_values(np.take_along_axis(relevant, order, axis=1))
    for row in range(20):
        assert found["average_precision"][row] == pytest.approx(
            average_precision_score(relevant[row], scores[row])
        )
        assert found["ndcg_at_10"][row] == pytest.approx(
            ndcg_score(relevant[row : row + 1], scores[row : row + 1], k=10)
        )


def test_the_query_itself_and_its_twins_are_not_ranked():
    features = np.array([[1, 0], [1, 0.01], [1, 0.1], [0, 1]], np.float32)
    names = np.array(["a", "b", "a", "b"])
    relevance = {"category": same_value(names[:1], names)}
    for identities, expected in (([0, 1, 2, 3], [1, 2, 3]), ([0, 0, 2, 3], [2, 3, -1])):
        values, nearest = measure(
            features[:1],
            features,
            relevance=relevance,
            query_identities=np.array(identities[:1]),
            gallery_identities=np.array(identities),
        )
        assert nearest[0, :3].tolist() == expected
    assert values["category"]["recall_at_1"][0] == 1  # without the twin, the other `a` is first


def test_cosine_looks_at_directions_and_euclidean_at_distances():
    queries = np.array([[1, 0]], np.float32)
    gallery = np.array([[9, 0], [1, 1]], np.float32)
    nearest = {}
    for is_cosine in (True, False):
        _, found = measure(
            queries,
            gallery,
            relevance={},
            query_identities=np.array([-1]),
            gallery_identities=np.arange(2),
            is_cosine=is_cosine,
        )
        nearest[is_cosine] = found[0, 0]
    assert nearest == {True: 0, False: 1}


def test_a_query_without_the_label_has_no_value():
    features = np.eye(3, dtype=np.float32)
    names = np.array(["", "a", "a"])
    values, _ = measure(
        features,
        features,
        relevance={"color": same_value(names, names)},
        query_identities=np.arange(3),
        gallery_identities=np.arange(3),
    )
    assert np.isnan(values["color"]["precision_at_5"]).tolist() == [True, False, False]


def test_mapped_labels_hit_any_of_their_values_and_unmapped_ones_are_not_asked():
    accepted = {"Shoes": frozenset({"Heels", "Flats"}), "Body": frozenset()}
    relevance = mapped_value(
        np.array(["Shoes", "Body"]), np.array(["Flats", "Shirts", "Heels"]), accepted
    )
    assert relevance.hits(slice(0, 2)).tolist() == [[True, False, True], [False] * 3]
    assert relevance.queries.tolist() == [0, -1]


def test_blocks_of_queries_give_what_a_naive_ranking_gives():
    rng = np.random.default_rng(5)
    features = rng.normal(size=(300, 6)).astype(np.float32)  # more than one block
    names = rng.choice(["a", "b", "c"], size=300)
    values, _ = measure(
        features,
        features,
        relevance={"category": same_value(names, names)},
        query_identities=np.arange(300),
        gallery_identities=np.arange(300),
    )
    unit = features / np.linalg.norm(features, axis=1, keepdims=True)
    for query in (0, 255, 256, 299):
        others = sorted(
            (one for one in range(300) if one != query), key=lambda one: -unit[query] @ unit[one]
        )
        share = np.mean([names[one] == names[query] for one in others[:5]])
        assert values["category"]["precision_at_5"][query] == pytest.approx(share)
