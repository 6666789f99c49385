"""Which of the backbones that have product vectors answers, where nobody chose one."""

from embeddings.models import Backbone

# By the published results on ImageNet transfer and the paper's Table 1; a backbone of our own
# training comes after these, by name, until a profile names it.
PREFERRED_BACKBONES = ("resnet50", "densenet121", "vgg16", "mobilenet_v2", "color_layout")


def best_backbone_with_vectors() -> Backbone | None:
    """The most preferred backbone that any product has a vector of. One query."""
    return next(iter(backbones_with_vectors()), None)


def backbones_with_vectors() -> list[Backbone]:
    """Active backbones that have product vectors, most preferred first. One query."""
    rows = Backbone.objects.raw(
        """
        SELECT b.* FROM embeddings_backbone b
        WHERE b.is_active
          AND EXISTS (SELECT 1 FROM embeddings_productvector v WHERE v.backbone_id = b.id)
        """
    )
    return sorted(rows, key=_preference)


def _preference(backbone: Backbone) -> tuple[int, str]:
    known = PREFERRED_BACKBONES
    return (known.index(backbone.name) if backbone.name in known else len(known), backbone.name)
