"""The pages: products, one shopper's recommendations with their terms, the latest report."""

from pathlib import Path

from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.db.models import Count
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils._os import safe_join
from django.utils.safestring import mark_safe
from markdown_it import MarkdownIt

from catalog.models import Product
from recommender.answers import RecommendationSet
from recommender.ranking import RankingSettings, default_profile
from recommender.services import recommend
from shoppers.models import Shopper

N_PRODUCTS_SHOWN = 24
N_SHOPPERS_OFFERED = 12
CONTENT_TYPES = {
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".png": "image/png",
    ".webp": "image/webp",
    ".json": "application/json",
}
A_YEAR_IN_SECONDS = 31_536_000


def home(request: HttpRequest) -> HttpResponse:
    """The shop window; recommendations too, in the demo or for staff."""
    shopper = _chosen_shopper(request) if _may_see_shoppers(request) else None
    answer = None
    if shopper is not None:
        answer = recommend(
            shopper=shopper, settings=RankingSettings.from_profile(default_profile())
        )
    context = {
        "products": _window(),
        "n_products": Product.objects.active().count(),
        "shopper": shopper,
        "shoppers": _busiest_shoppers() if shopper else [],
        "answer": answer,
        "scale": _longest_bar(answer),
        "is_demo": settings.FASHREC_DEMO,
        "may_see_shoppers": _may_see_shoppers(request),
        "report_pictures": _report_pictures(),
        "has_report": _may_see_shoppers(request) and _report_folder() is not None,
    }
    return render(request, "storefront/home.html", context)


def report(request: HttpRequest) -> HttpResponse:
    """The latest evaluation report as a page; only in the demo or for staff."""
    folder = _report_folder()
    if folder is None or not _may_see_shoppers(request):
        raise Http404
    text = (folder / "report.md").read_text(encoding="utf-8")
    html = MarkdownIt("commonmark", {"html": False}).enable("table").render(text)
    context = {"report": mark_safe(html)}  # noqa: S308 - rendered with raw HTML off
    return render(request, "storefront/report.html", context)


def report_file(request: HttpRequest, name: str) -> FileResponse:
    """A picture or the JSON of the latest report."""
    folder = _report_folder()
    if folder is None or not _may_see_shoppers(request):
        raise Http404
    return _file(folder, name, max_age_seconds=60)


def media(request: HttpRequest, path: str) -> FileResponse:
    """A product's photo; its name is random and its content never changes."""
    return _file(Path(settings.MEDIA_ROOT), path, max_age_seconds=A_YEAR_IN_SECONDS)


def _may_see_shoppers(request: HttpRequest) -> bool:
    return settings.FASHREC_DEMO or (request.user.is_active and request.user.is_staff)


def _window() -> list[Product]:
    """Active products spread over the catalogue, so that several categories show."""
    ids = list(Product.objects.active().order_by("category_id", "id").values_list("pk", flat=True))
    step = max(1, len(ids) // N_PRODUCTS_SHOWN)
    products = Product.objects.with_details().in_bulk(ids[::step][:N_PRODUCTS_SHOWN])
    return list(products.values())


def _busiest_shoppers() -> list[Shopper]:
    with_purchases = Shopper.objects.annotate(n_purchases=Count("purchases"))
    return list(with_purchases.order_by("-n_purchases", "id")[:N_SHOPPERS_OFFERED])


def _chosen_shopper(request: HttpRequest) -> Shopper | None:
    wanted = request.GET.get("shopper")
    if wanted:
        chosen = Shopper.objects.filter(external_id=wanted.replace("\x00", "")).first()
        if chosen is None:
            raise Http404("No such shopper.")
        return chosen
    return next(iter(_busiest_shoppers()), None)


def _longest_bar(answer: RecommendationSet | None) -> float:
    """The highest relevance on the page: what a full bar stands for."""
    return max((item.relevance for item in answer.items), default=1.0) if answer else 1.0


def _report_folder() -> Path | None:
    folder = settings.FASHREC_HOME / "reports" / "latest"
    return folder if (folder / "report.md").is_file() else None


def _report_pictures() -> list[str]:
    folder = _report_folder()
    return sorted(path.name for path in folder.glob("*.png")) if folder else []


def _file(folder: Path, name: str, *, max_age_seconds: int) -> FileResponse:
    """One of our own kinds of files inside `folder`, with exactly its type."""
    content_type = CONTENT_TYPES.get(Path(name).suffix.lower())
    try:
        path = Path(safe_join(folder, name))
    except (SuspiciousOperation, ValueError) as error:  # outside of it, or a NUL in the name
        raise Http404 from error
    if content_type is None or not path.is_file():
        raise Http404
    response = FileResponse(path.open("rb"), content_type=content_type)
    response["Cache-Control"] = f"public, max-age={max_age_seconds}, immutable"
    return response
