import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.importing.deepfashion import DeepFashionName, looks_like_deepfashion, parse_name
from catalog.shipped_similarity import shipped_similarity

CATEGORIES = [name for names in shipped_similarity().groups.values() for name in names]


@given(
    gender=st.sampled_from(["WOMEN", "MEN"]),
    category=st.sampled_from([*CATEGORIES, "T-Shirts"]),
    item=st.integers(0, 10**8 - 1),
    color=st.integers(0, 99),
    pose=st.integers(0, 10**6 - 1),
    view=st.from_regex(r"[a-z]{1,24}", fullmatch=True),
    suffix=st.sampled_from(["jpg", "png"]),
)
def test_every_well_formed_name_gives_back_its_parts(
    gender, category, item, color, pose, view, suffix
):
    item_id = f"id_{item:08d}-{color:02d}"
    name = f"{gender}-{category}-{item_id}_{pose}_{view}.{suffix}"
    assert parse_name(name) == DeepFashionName(gender, category, item_id, pose, view)
    assert looks_like_deepfashion(name)


@given(st.text(max_size=80))
def test_any_text_is_parsed_or_refused_without_an_error(name):
    assert parse_name(name) is None or looks_like_deepfashion(name)


@pytest.mark.parametrize(
    "name",
    [
        "KIDS-Dresses-id_00000012-01_4_full.jpg",
        "WOMEN-Dresses-id_0000012-01_4_full.jpg",
        "WOMEN-Dresses-id_00000012-1_4_full.jpg",
        "WOMEN-Dresses-id_00000012-01_full.jpg",
        "WOMEN-Dresses-id_00000012-01_4_.jpg",
        "WOMEN-Dresses-id_00000012-01_4_full.jpeg",
        "WOMEN-Dresses-id_00000012-01_4_full.jpg\n",
        "WOMEN--id_00000012-01_4_full.jpg",
        "xWOMEN-Dresses-id_00000012-01_4_full.jpg",
        "WOMEN-Dresses-id_٠٠٠٠٠٠١٢-01_4_full.jpg",
        "WOMEN-Dresses-id_00000012-01_4_full_segm.png",
    ],
)
def test_ill_formed_names_are_not_names(name):
    assert parse_name(name) is None


@pytest.mark.parametrize("name", ["women-dresses-id_12.jpg", "MEN-Denim-id_00000012-01.webp"])
def test_a_name_that_was_meant_so_is_recognised(name):
    assert looks_like_deepfashion(name) and parse_name(name) is None


@pytest.mark.parametrize("name", ["red dress.jpg", "WOMEN-1.jpg", "id_00000012-01_4_full.jpg"])
def test_other_names_are_not_taken_for_deepfashion(name):
    assert not looks_like_deepfashion(name)
