"""The live preview beside a ranking profile's form."""

from django.forms import modelform_factory
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST

from fashrec_site.workplace.permissions import needs
from fashrec_site.workplace.previews import compare, find_subject
from recommender.models import RankingProfile
from recommender.profile_form import RankingProfileForm
from recommender.ranking import RankingSettings, default_profile

# The name may be anybody's, and whether it is the default changes no answer of its own.
SettingsForm = modelform_factory(
    RankingProfile,
    form=RankingProfileForm,
    fields=[name for name in RankingProfileForm.Meta.fields if name not in ("name", "is_default")],
)


@require_POST
@needs("recommender.view_rankingprofile", "shoppers.view_shopper", "catalog.view_product")
def preview(request: HttpRequest) -> HttpResponse:
    """A shopper's or product's top five under the saved profile, and under what the form says."""
    saved = _saved(request.POST.get("profile", ""))
    kind, name = request.POST.get("preview_kind", ""), request.POST.get("preview_name", "")
    subject = find_subject(kind, name)
    form = SettingsForm(request.POST)
    context = {"subject": subject, "form": form, "before_name": saved.name}
    if subject and form.is_valid():
        after = RankingSettings.from_profile(form.instance)
        context["settings"] = after
        context["comparison"] = compare(
            subject, before=RankingSettings.from_profile(saved), after=after
        )
    return render(request, "admin/recommender/rankingprofile/comparison.html", context)


def _saved(key: str) -> RankingProfile:
    """The profile being changed; for a new one, the default that it will be compared with."""
    found = RankingProfile.objects.filter(pk=int(key)) if key.isdecimal() and len(key) < 19 else []
    return next(iter(found), None) or default_profile()
