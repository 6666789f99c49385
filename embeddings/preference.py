"""Which of the backbones that have product vectors answers, where nobody chose one."""

from django.db.models import Case, Exists, IntegerField, OuterRef, QuerySet, Value, When

from embeddings.models import Backbone, ProductVector

# By the published results on ImageNet transfer and the paper's Table 1; a backbone of our own
# training comes after these, by name, until a profile names it.
PREFERRED_BACKBONES = (
    "resnet50",
    "densenet121",
    "vgg16",
    "mobilenet_v2",
    "fashrec_small",
    "color_layout",
)


def best_backbone_with_vectors() -> Backbone | None:
    """The most preferred backbone that any product has a vector of. One query."""
    return backbones_with_vectors().first()


def backbones_with_vectors() -> QuerySet[Backbone]:
    """Active backbones that have product vectors, most preferred first."""
    vectors = ProductVector.objects.filter(backbone=OuterRef("pk"))
    ranks = [When(name=name, then=Value(rank)) for rank, name in enumerate(PREFERRED_BACKBONES)]
    rank = Case(*ranks, default=Value(len(ranks)), output_field=IntegerField())
    return Backbone.objects.filter(Exists(vectors), is_active=True).order_by(rank, "name")
