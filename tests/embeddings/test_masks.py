"""Which pixels are garment, on maps small enough to check by eye."""

import json

import numpy as np
import pytest
from PIL import Image

from embeddings.masks import (
    NON_GARMENT_COLORS,
    MaskError,
    MaskSettings,
    fill_outside,
    garment_coverage,
    garment_mask,
    masked_photo,
    read_palette,
)
from embeddings.photos import DecodedPhoto

SHIRT = (165, 107, 87)
HAIR = NON_GARMENT_COLORS["hair"]
SKIN = NON_GARMENT_COLORS["skin"]
FACE = NON_GARMENT_COLORS["face"]
BACKGROUND = NON_GARMENT_COLORS["background"]


def map_of(*rows):
    """A segmentation map from rows of colours."""
    return Image.fromarray(np.array(rows, dtype=np.uint8))


def test_background_hair_face_and_skin_are_removed_and_the_rest_is_garment():
    colors = map_of([BACKGROUND, HAIR, FACE], [SKIN, SHIRT, (245, 122, 163)])

    mask = garment_mask(colors, (3, 2), MaskSettings())

    assert mask.tolist() == [[False, False, False], [False, True, True]]


def test_without_a_palette_a_colour_within_distance_four_counts_as_non_garment():
    at_four, beyond = (251, 0, 0), (250, 0, 0)
    diagonal_inside, diagonal_beyond = (2, 2, 2), (3, 3, 3)  # 3.46 and 5.20 from black

    mask = garment_mask(
        map_of([at_four, beyond, diagonal_inside, diagonal_beyond]), (4, 1), MaskSettings()
    )

    assert mask.tolist() == [[False, True, False, True]]


def test_with_a_full_palette_each_pixel_takes_its_nearest_colour():
    settings = MaskSettings(palette=(BACKGROUND, HAIR, SKIN, SHIRT))
    blurred_hair, blurred_shirt = (230, 20, 15), (150, 100, 80)

    mask = garment_mask(map_of([blurred_hair, blurred_shirt, (90, 60, 50)]), (3, 1), settings)

    assert mask.tolist() == [[False, True, True]]


def test_a_palette_mode_map_reads_like_the_same_map_in_rgb():
    rgb = map_of([BACKGROUND, SHIRT, HAIR], [SHIRT, SKIN, FACE], [SHIRT, SHIRT, BACKGROUND])
    indexed = Image.new("P", (3, 3))
    indexed.putpalette(
        [channel for color in (SHIRT, BACKGROUND, HAIR, SKIN, FACE) for channel in color]
    )
    indexed.putdata([1, 0, 2, 0, 3, 4, 0, 0, 1])

    masks = [garment_mask(image, (3, 3), MaskSettings()) for image in (rgb, indexed)]

    assert masks[0].tolist() == masks[1].tolist()


def test_an_index_beyond_a_short_palette_is_black():
    indexed = Image.new("P", (2, 1))
    indexed.putpalette([*SHIRT])
    indexed.putdata([0, 5])

    assert garment_mask(indexed, (2, 1), MaskSettings()).tolist() == [[True, False]]


@pytest.mark.parametrize("size", [(1, 1), (7, 5), (13, 31), (4, 9)])
def test_a_map_of_another_size_is_resized_without_inventing_colours(size):
    halves = map_of(*[[SHIRT, SHIRT, SKIN]] * 3)
    settings = MaskSettings(palette=(BACKGROUND, HAIR, SKIN, SHIRT, (155, 172, 116)))

    mask = garment_mask(halves, size, settings)

    width, height = size
    assert mask.shape == (height, width)
    nearest = (2 * np.arange(width) + 1) * 3 // (2 * width)  # the map's column at a pixel's centre
    assert mask.tolist() == [[bool(column < 2) for column in nearest]] * height


def test_a_map_without_a_garment_pixel_is_an_error_and_no_empty_mask():
    with pytest.raises(MaskError, match="leaves no garment pixel"):
        garment_mask(map_of([BACKGROUND, SKIN]), (2, 1), MaskSettings())


def test_a_map_whose_only_garment_pixel_is_lost_by_resizing_is_an_error():
    nine = [[BACKGROUND] * 3, [BACKGROUND] * 3, [BACKGROUND, BACKGROUND, SHIRT]]

    with pytest.raises(MaskError):
        garment_mask(map_of(*nine), (1, 1), MaskSettings())


def test_a_masked_photo_keeps_garment_pixels_and_fills_the_others():
    photo = map_of([(9, 8, 7), (6, 5, 4)])

    masked = masked_photo(photo, map_of([SHIRT, SKIN]), MaskSettings(fill=(1, 2, 3)))

    assert np.asarray(masked).tolist() == [[[9, 8, 7], [1, 2, 3]]]
    assert np.asarray(photo).tolist() == [[[9, 8, 7], [6, 5, 4]]]


def test_a_photo_without_a_map_stays_whole():
    photo = map_of([(9, 8, 7)])

    assert masked_photo(photo, None) is photo


@pytest.mark.parametrize(
    "changed",
    [{"palette": (SHIRT,)}, {"non_garment": (BACKGROUND,)}, {"fill": (255, 255, 255)}],
)
def test_every_setting_changes_the_fingerprint(changed):
    assert MaskSettings(**changed).fingerprint != MaskSettings().fingerprint
    assert MaskSettings(**changed).fingerprint == MaskSettings(**changed).fingerprint


def test_a_palette_file_names_colours(tmp_path):
    file = tmp_path / "palette.json"
    file.write_text(json.dumps({"null": [0, 0, 0], "shirt": list(SHIRT)}))

    assert read_palette(file) == (BACKGROUND, SHIRT)


@pytest.mark.parametrize("content", ["[1]", "{}", '{"a": [1, 2]}', '{"a": [1, 2, 999]}', "no"])
def test_what_is_no_palette_is_refused_by_name(tmp_path, content):
    file = tmp_path / "palette.json"
    file.write_text(content)

    with pytest.raises(ValueError, match=r"palette\.json: expected"):
        read_palette(file)


def test_a_photo_decoded_smaller_is_covered_by_shares_of_its_pixels():
    colors = map_of(
        [SHIRT, SHIRT, HAIR, SHIRT, SHIRT],
        [SHIRT, SHIRT, HAIR, HAIR, SHIRT],
        [SHIRT, HAIR, HAIR, HAIR, HAIR],
    )
    photo = DecodedPhoto(Image.new("RGB", (3, 2)), (5, 3), reduction=2)

    coverage = garment_coverage(colors, photo, MaskSettings())

    assert coverage.dtype == np.uint8  # what lies beyond the end is as the last pixel
    np.testing.assert_allclose(coverage, [[255, 63.75, 255], [127.5, 0, 0]], atol=0.5)


def test_a_photo_decoded_in_full_is_covered_as_its_mask_says():
    colors = map_of([SHIRT, HAIR], [HAIR, SHIRT])
    photo = DecodedPhoto(Image.new("RGB", (2, 2)), (2, 2))

    coverage = garment_coverage(colors, photo, MaskSettings())

    assert coverage.tolist() == [[255, 0], [0, 255]]
    assert (coverage > 0).tolist() == garment_mask(colors, (2, 2), MaskSettings()).tolist()


def test_what_is_covered_in_part_is_mixed_with_the_fill():
    photo = Image.new("RGB", (3, 1), (200, 100, 50))

    filled = fill_outside(photo, np.array([[255, 0, 51]], np.uint8), (0, 0, 250))

    assert [filled.getpixel((x, 0)) for x in range(3)] == [
        (200, 100, 50),
        (0, 0, 250),
        (40, 20, 210),
    ]


def test_a_map_without_garment_is_refused_also_for_a_photo_decoded_smaller():
    photo = DecodedPhoto(Image.new("RGB", (1, 1)), (2, 2), reduction=2)

    with pytest.raises(MaskError, match="leaves no garment pixel"):
        garment_coverage(map_of([HAIR, HAIR], [HAIR, HAIR]), photo, MaskSettings())
