"""A ranking profile as people set it: sliders, and refusals that say what to do."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import transaction

from embeddings.preference import backbones_with_vectors
from recommender.models import RankingProfile

WEIGHTS = {
    "weight_visual": "w_v: how much looks count",
    "weight_popularity": "w_p: how much a popularity that suits the shopper counts",
    "weight_category": "w_c: how much the similarity matrix counts",
    "weight_proximity": "w_d: how much a near store counts",
}
SLIDERS = {  # from, to, step; the number beside it may lie outside
    **dict.fromkeys(WEIGHTS, "0 1 0.05"),
    "penalty_exponent": "0.5 8 0.5",
    "k": "1 30 1",
}


class RankingProfileForm(forms.ModelForm):
    """A profile's settings, refused where they cannot rank."""

    class Meta:
        model = RankingProfile
        fields = (
            "name",
            *WEIGHTS,
            "penalty_exponent",
            "k",
            "backbone",
            "filter_gender",
            "is_default",
        )
        labels = {
            "weight_visual": "Looks",
            "weight_popularity": "Popularity",
            "weight_category": "Category",
            "weight_proximity": "Nearness",
            "penalty_exponent": "Forgiveness (gamma)",
            "k": "Recommendations per purchase (K)",
            "filter_gender": "Only products for the shopper's gender",
            "is_default": "Answers where nobody chose a profile",
        }
        help_texts = WEIGHTS | {
            "penalty_exponent": "how far a product's popularity may lie from the shopper's "
            "trendiness: at 1 every step costs the same; at 2 small ones cost little; at 4 only "
            "large ones cost anything",
            "k": "for each purchase, from 1 to 100",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, slider in SLIDERS.items():
            if name in self.fields:  # not for those who may only look
                self.fields[name].widget.attrs |= {"data-slider": slider, "step": "any"}

    def _get_validation_exclusions(self) -> set[str]:
        """Django's, and the one default: saving gives the old one's place to the new one."""
        return super()._get_validation_exclusions() | {"is_default"}

    def clean_backbone(self) -> object:
        """The chosen backbone, which must have vectors to rank by."""
        backbone = self.cleaned_data["backbone"]
        with_vectors = backbones_with_vectors()
        if backbone is not None and backbone not in with_vectors:
            known = ", ".join(other.name for other in with_vectors) or "none yet"
            raise ValidationError(
                f"No product has a vector of {backbone} yet, so that it could rank nothing. "
                f"Embed the products with it first; backbones with vectors: {known}."
            )
        return backbone

    def clean_is_default(self) -> bool:
        """Whether it answers by default; some profile always does."""
        is_default = self.cleaned_data["is_default"]
        was_default = RankingProfile.objects.filter(pk=self.instance.pk, is_default=True)
        if not is_default and self.instance.pk and was_default.exists():
            raise ValidationError("Some profile must: make another one the default instead.")
        return is_default

    def clean(self) -> dict[str, Any]:
        """Refuse weights that would rank everything equal."""
        cleaned = super().clean()
        ranking = [name for name in WEIGHTS if name != "weight_proximity"]
        if all(cleaned.get(name) == 0 for name in ranking):
            self.add_error(
                "weight_visual",
                "With looks, popularity and category all at 0 every product would be equally "
                "relevant. Give at least one of them a weight.",
            )
        return cleaned


@transaction.atomic
def make_default(profile: RankingProfile) -> None:
    """Let the profile answer where nobody chose one, instead of the one that did."""
    for other in RankingProfile.objects.select_for_update().filter(is_default=True):
        if other.pk != profile.pk:
            other.is_default = False
            other.save()  # one by one, so that each is remembered
    profile.is_default = True
    profile.save()
