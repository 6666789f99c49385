"""A rule's form, and what the rule would change before it is made."""

from functools import partial

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.response import TemplateResponse
from django.utils import timezone
from django.views.decorators.http import require_POST

from fashrec_site.workplace.merchandising.rule_form import RuleForm
from fashrec_site.workplace.permissions import needs
from fashrec_site.workplace.previews import N_SHOWN, compare, find_subject
from recommender.merchandising.services import MerchandisingError
from recommender.ranking import RankingSettings, default_profile

MAX_SHOWN = 12


@require_POST
@needs("recommender.add_merchandisingrule", "shoppers.view_shopper", "catalog.view_product")
def preview(request: HttpRequest) -> HttpResponse:
    """Somebody's first recommendations without and with the rule, as if it held now."""
    kind, name = request.POST.get("preview_kind", ""), request.POST.get("preview_name", "")
    form = RuleForm(request.POST)
    context = {"subject": find_subject(kind, name), "form": form}
    if context["subject"] and form.is_valid():
        try:
            context |= _comparison(form, context["subject"])
        except MerchandisingError as error:
            context["refusal"] = str(error)
    return render(request, "admin/merchandising/comparison.html", context)


def rule_page(request: HttpRequest, form: RuleForm) -> TemplateResponse:
    """The form beside its preview; also for what was chosen in another list."""
    context = {**admin.site.each_context(request), "title": "Pin, boost or bury", "form": form}
    return TemplateResponse(request, "admin/merchandising/rule_form.html", context)


def _comparison(form: RuleForm, subject: object) -> dict[str, object]:
    settings = RankingSettings.from_profile(default_profile())
    given = form.cleaned_data
    place = given["position"] if given["kind"] == "pin" else 0
    change = partial(form.save, starts_at=timezone.now(), ends_at=None)
    return {
        "settings": settings,
        "comparison": compare(
            subject,
            before=settings,
            after=settings,
            change=change,
            category=given["category"],
            n_shown=min(MAX_SHOWN, max(N_SHOWN, place)),
        ),
    }
