"""What the paper reports on DeepFashion: shown beside ours, never compared by code or tests."""

from dataclasses import dataclass

LABEL = "published on DeepFashion with other photos, purchases and popularity: not comparable"


@dataclass(frozen=True)
class Published:
    """A row of the paper's tables: percentages, and the popularity MAE times 100."""

    category_similarity: float
    popularity_mae: float
    gender_alignment: float | None = None  # given in Table 1 only

    def as_json(self) -> dict[str, float | str | None]:
        """The row with the label that must stand beside it."""
        return {
            "category_similarity": self.category_similarity,
            "gender_alignment": self.gender_alignment,
            "popularity_mae": self.popularity_mae,
            "label": LABEL,
        }


BACKBONES = {
    "resnet50": Published(64.95, 12.96, 100.0),
    "densenet121": Published(63.53, 12.47, 100.0),
    "vgg16": Published(57.99, 13.32, 100.0),
}
ABLATION = {
    "full": Published(62.16, 12.92),
    "no popularity": Published(63.53, 31.14),
    "no visual": Published(40.01, 0.22),
}
TRENDINESS = {
    "low": Published(62.52, 11.84),
    "medium": Published(65.24, 13.96),
    "high": Published(56.3, 12.05),
}
