"""The one split of all models, and the map from phone labels to the catalogue's."""

from collections import Counter

import pytest

from embeddings.photo_sets import read_photo_set, split_of
from embeddings.photo_sets.phone_categories import phone_categories


def test_a_group_lies_in_the_part_that_the_md5_of_its_name_says():
    # printf fashrec-split:148 | md5sum: cbe265b5..., .796 of 2**32; 43: ec2e2faa, .923;
    # 00000012: 09079e54, .035
    parts = {group: split_of(group) for group in ("148", "43", "00000012")}
    assert parts == {"148": "validation", "43": "test", "00000012": "train"}


def test_parts_hold_seven_one_and_two_tenths_of_many_groups():
    counts = Counter(split_of(str(number)) for number in range(10_000))
    assert counts["train"] == pytest.approx(7000, abs=150)
    assert counts["validation"] == pytest.approx(1000, abs=100)
    assert counts["test"] == pytest.approx(2000, abs=130)


def test_the_map_speaks_of_labels_and_categories_that_there_are(shared_data):
    labels = {
        name: {photo.labels["category"] for photo in read_photo_set(shared_data / name)}
        for name in ("photos", "catalog")
    }
    mapped = phone_categories()
    assert set(mapped) == labels["photos"]
    assert set().union(*mapped.values()) <= labels["catalog"]
