"""A photo as the networks see it, and another try for one that failed."""

from io import BytesIO

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from catalog.models import ProductImage
from embeddings.mask_settings import current_mask_settings
from embeddings.masks import MaskError, masked_photo
from embeddings.models import Embedding
from embeddings.photos import PhotoError, read_photo, read_segmentation_map
from embeddings.retries import embed_again
from fashrec_site.workplace.permissions import needs

SHOWN_PX = 640


@require_GET
@needs("catalog.view_productimage")
def masked(request: HttpRequest, image_id: int) -> HttpResponse:
    """The photo with all but the garment removed, as it is embedded; 404 without a map."""
    image = get_object_or_404(ProductImage.objects.exclude(segmentation_map=""), pk=image_id)
    try:
        with image.image.open() as photo_file, image.segmentation_map.open() as map_file:
            photo, garment = read_photo(photo_file), read_segmentation_map(map_file)
        shown = masked_photo(photo, garment, current_mask_settings())
    except (PhotoError, MaskError, OSError) as error:
        raise Http404(str(error)) from error
    shown.thumbnail((SHOWN_PX, 2 * SHOWN_PX))
    buffer = BytesIO()
    shown.save(buffer, "WEBP", quality=82)
    response = HttpResponse(buffer.getvalue(), content_type="image/webp")
    response["Cache-Control"] = "private, max-age=300"
    return response


@require_POST
@needs("embeddings.change_embedding")
def retry(request: HttpRequest, embedding_id: int) -> HttpResponse:
    """Have a failed embedding tried again, and go back to its product."""
    embedding = get_object_or_404(
        Embedding.objects.select_related("image", "backbone"), pk=embedding_id
    )
    if embed_again(image_ids=[embedding.image_id], backbone=embedding.backbone):
        messages.success(
            request, f"{embedding.backbone} looks at the {embedding.image.view} again."
        )
    else:
        messages.warning(request, "It waits: the queue cannot be reached now.")
    url = reverse("admin:catalog_product_change", args=[embedding.image.product_id])
    return HttpResponseRedirect(url)
