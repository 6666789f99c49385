"""From a searcher's photo to its vector, as a product's photo becomes one."""

from dataclasses import dataclass
from io import BytesIO

import numpy as np
from PIL import Image

from embeddings.admission import encoder_of, known_way
from embeddings.encoders import Encoder, unit_vectors
from embeddings.garments.finding import find_garments
from embeddings.garments.regions import garment_regions
from embeddings.mask_settings import current_mask_settings, finder_settings
from embeddings.masks import MaskError, garment_coverage
from embeddings.models import Backbone
from embeddings.nets.errors import WeightsUnavailable
from embeddings.photo_search import private_files
from embeddings.photo_search.crops import CropBox
from embeddings.photo_search.models import PhotoSearch
from embeddings.photo_search.refusals import PhotoRefused
from embeddings.photos import DecodedPhoto, PhotoError, read_reduced, read_segmentation_map
from embeddings.preparation import square_photo

# A phone's photo is decoded and kept this small: more than any backbone looks at, also of a crop.
KEPT_SHORTER_SIDE = 1024
KEPT_PIXELS = 4_000_000
KEPT_QUALITY = 95
MIN_CROP_COVERAGE = 0.02  # of a crop; a found mask that leaves less of it is not believed


@dataclass(frozen=True)
class PreparedPhoto:
    """A photo in RGB, upright, and how much of each pixel is garment where that is known."""

    image: Image.Image
    coverage: np.ndarray | None = None  # (height, width) uint8 out of 255
    classes: np.ndarray | None = None  # (height, width) uint8, where single garments are wanted

    def cropped(self, box: tuple[int, int, int, int]) -> "PreparedPhoto":
        """The part inside left, top, right, bottom."""
        left, top, right, bottom = box
        coverage = None if self.coverage is None else self.coverage[top:bottom, left:right]
        classes = None if self.classes is None else self.classes[top:bottom, left:right]
        return PreparedPhoto(self.image.crop(box), coverage, classes)

    def compared(self) -> tuple[DecodedPhoto, np.ndarray | None]:
        """What is embedded: its largest garment where those are told apart, else all of it."""
        regions = [] if self.classes is None else list(garment_regions(self.classes))
        if regions:
            largest = max(regions, key=lambda region: np.count_nonzero(region.mask))
            return square_photo(np.asarray(self.image), largest.mask)
        return DecodedPhoto(self.image, self.image.size), self.coverage

    def whole_where_nothing_shows(self) -> "PreparedPhoto":
        """Without a mask that leaves hardly a pixel: whoever chose this part sees more in it."""
        if self.coverage is not None and self.coverage.mean() < MIN_CROP_COVERAGE * 255:
            return PreparedPhoto(self.image)
        return self


def photo_encoder(backbone: Backbone) -> Encoder:
    """What makes the backbone's vectors in this process, loaded once.

    By the fastest way that was measured to be faithful; measuring is for those who embed products.

    Raises:
        PhotoRefused: UNAVAILABLE, where the weights are not to be had.
    """
    try:
        return encoder_of(backbone, known_way(backbone))
    except WeightsUnavailable as error:
        raise PhotoRefused("UNAVAILABLE", f"The photo cannot be compared: {error}") from error


def photo_vector(search: PhotoSearch) -> np.ndarray:
    """The search's vector, (dimension,) float32 of length one; its file holds only pixels then.

    Raises:
        PhotoRefused: the photo, its map or its crop cannot be used, or the backbone cannot run.
    """
    photo = _read(search)
    _keep_pixels_alone(search, photo.image)
    if not search.has_map:
        photo = _with_found_garments(photo)
    if search.crop is not None:
        photo = photo.cropped(CropBox(*search.crop).in_pixels(photo.image.size))
        if not search.has_map:
            photo = photo.whole_where_nothing_shows()
    if photo.coverage is not None and not photo.coverage.any():
        raise PhotoRefused("INVALID_IMAGE", "The segmentation map leaves nothing of this part.")
    encoder = photo_encoder(search.backbone)
    prepared = encoder.prepare(*photo.compared(), current_mask_settings())
    (vector,) = unit_vectors(encoder.encode([prepared]))
    if isinstance(vector, str):
        raise PhotoRefused("INVALID_IMAGE", f"The photo shows nothing to compare: {vector}.")
    return vector


def _read(search: PhotoSearch) -> PreparedPhoto:
    try:
        content = private_files.read(search.photo)
        image = _shrunk(read_reduced(BytesIO(content), KEPT_SHORTER_SIDE).image)
        return PreparedPhoto(image, _coverage(search, image))
    except FileNotFoundError as error:
        message = "The photo is not here any more: do web server and worker share FASHREC_HOME?"
        raise PhotoRefused("UNAVAILABLE", message) from error
    except (PhotoError, MaskError) as error:
        raise PhotoRefused("INVALID_IMAGE", f"The photo is {error}.") from error


def _with_found_garments(photo: PreparedPhoto) -> PreparedPhoto:
    """The photo with what is found in it, as in products' photos without a map."""
    finders = finder_settings()
    try:
        found = find_garments(np.asarray(photo.image), finders)
    except WeightsUnavailable as error:
        raise PhotoRefused("UNAVAILABLE", f"The photo cannot be searched: {error}") from error
    if found is None:
        return photo
    classes = found.classes if finders.tells_garments else None
    return PreparedPhoto(photo.image, found.mask.view(np.uint8) * np.uint8(255), classes)


def _shrunk(image: Image.Image) -> Image.Image:
    """At most `KEPT_PIXELS`, by averaging whole blocks; only what is not JPEG is still larger."""
    factor = 1
    while image.width * image.height > KEPT_PIXELS * factor**2:
        factor += 1
    return image.reduce(factor) if factor > 1 else image


def _coverage(search: PhotoSearch, image: Image.Image) -> np.ndarray | None:
    if not search.has_map:
        return None
    content = private_files.read(search.photo + private_files.MAP_SUFFIX)
    segmentation_map = read_segmentation_map(BytesIO(content))
    whole = DecodedPhoto(image, image.size)
    return garment_coverage(segmentation_map, whole, current_mask_settings())


def _keep_pixels_alone(search: PhotoSearch, image: Image.Image) -> None:
    """Replace the upload, and where it was taken and by what, by what is seen in it."""
    if search.is_reencoded:
        return
    file = BytesIO()
    image.save(file, "JPEG", quality=KEPT_QUALITY)  # Pillow writes EXIF only where it is told to
    private_files.store(search.photo, file.getvalue())
    PhotoSearch.objects.filter(pk=search.pk).update(is_reencoded=True)
