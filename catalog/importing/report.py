"""What an import did."""

from dataclasses import dataclass, field

from catalog.importing.rows import CatalogImportError, Problem


@dataclass
class ImportReport:
    """Counts of what was read and written; `problems` sorted by line or file."""

    description: str
    n_rows: int = 0
    problems: list[Problem] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    n_categories_created: int = 0
    n_products_created: int = 0
    n_products_updated: int = 0
    n_products_unchanged: int = 0
    n_products_merged: int = 0  # left out, as the product that they were merged into came too
    n_photos_created: int = 0
    n_photos_replaced: int = 0
    n_photos_unchanged: int = 0
    n_maps_stored: int = 0

    @property
    def n_photos(self) -> int:
        """Photos that the catalogue now has of this source."""
        return self.n_photos_created + self.n_photos_replaced + self.n_photos_unchanged


class ImportRefusedError(CatalogImportError):
    """Rows were bad and bad rows were not to be skipped; `report` lists them."""

    def __init__(self, report: ImportReport) -> None:
        self.report = report
        n_bad, n_rows = len(report.problems), report.n_rows
        if n_bad < n_rows:
            extent = f"{n_bad:,} of {n_rows:,}"
            advice = "Correct them, or import the rest with --on-error skip."
        else:
            extent, advice = f"all {n_rows:,}", "Correct them first."
        super().__init__(f"Nothing was imported: {extent} photos or lines have problems. {advice}")
