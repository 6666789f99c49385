"""The crop of a photo that was decoded smaller, beside the exact one."""

import numpy as np
import pytest
from PIL import Image

from embeddings.nets.crops import crop_decoded, crop_photo


def gradient(width, height):
    """A smooth photo in which every place has a colour of its own."""
    rows, columns = np.mgrid[0:height, 0:width]
    channels = (255 * rows / height, 255 * columns / width, 128 + 100 * np.sin(rows / 40))
    return Image.fromarray(np.stack(channels, axis=-1).astype(np.uint8))


@pytest.mark.parametrize("size", [(168, 224), (224, 168), (256, 256), (401, 333), (1, 1), (3, 400)])
def test_without_a_reduction_it_is_the_exact_one_up_to_rounding(size):
    photo = Image.fromarray(
        np.random.default_rng(0).integers(0, 255, (size[1], size[0], 3), dtype=np.uint8)
    )

    exact, fast = crop_photo(photo), crop_decoded(photo, photo.size, 1)

    assert np.abs(exact.astype(int) - fast).max() <= 1


@pytest.mark.parametrize("size", [(750, 1101), (1101, 751), (1500, 3001)])
def test_a_reduced_photo_is_cropped_where_it_lies_in_the_whole_one(size):
    photo = gradient(*size)
    reduced = photo.reduce(2)  # as libjpeg decodes it, with a last row or column for odd sides

    difference = np.abs(crop_photo(photo).astype(int) - crop_decoded(reduced, size, 2))

    assert difference.max() <= 2


@pytest.mark.parametrize("size", [(1, 50_000), (50_000, 1)])
def test_the_crop_of_a_strip_has_full_size(size):
    assert crop_decoded(Image.new("RGB", size), size, 1).shape == (224, 224, 3)
