"""`manage.py embed_products`: embed every photo that lacks a current embedding."""

from argparse import ArgumentParser

from django.core.management.base import BaseCommand, CommandError

from catalog.progress import StagedProgress
from embeddings import services
from embeddings.checks import TAG
from embeddings.dispatch import NoWorkerError, embed_by_workers, failures, require_worker
from embeddings.indexes import ensure_search_indexes
from embeddings.models import Backbone, Embedding
from embeddings.nets.errors import WeightsUnavailable
from embeddings.preference import PREFERRED_BACKBONES
from embeddings.progress import EmbeddingProgress
from embeddings.querysets import MaskMethod

MAX_LISTED = 20


class Command(BaseCommand):
    """Embeds by Celery workers, or in this process with --inline."""

    # Not the URLs' checks: they import every schema, which takes longer than asking for a worker.
    requires_system_checks = [TAG]
    help = "Embed every active product photo that has no current embedding."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument(
            "--backbone",
            nargs="+",
            metavar="NAME",
            help=f"any of {', '.join(PREFERRED_BACKBONES)}, or one that finetune made; "
            "default: the best whose weights can be had",
        )
        parser.add_argument(
            "--inline", action="store_true", help="embed in this process, without a worker"
        )
        parser.add_argument(
            "--mask",
            choices=MaskMethod.values,
            help="one mask method for all photos; default: a photo's segmentation map if it has "
            "one, else what FASHREC_SEGFORMER and FASHREC_MASKS name, else none",
        )
        parser.add_argument(
            "--retry-failed", action="store_true", help="try photos again that failed before"
        )

    def handle(self, **options: object) -> None:
        """Embed with each backbone in turn."""
        try:
            if not options["inline"]:
                require_worker()
            for name in options["backbone"] or [self._best_backbone()]:
                self._embed(services.register_backbone(name=name), options)
        except (WeightsUnavailable, NoWorkerError, ValueError) as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            raise CommandError(self._how_to_resume(options), returncode=130) from None

    def _best_backbone(self) -> str:
        choice = services.choose_backbone()
        self.stdout.write(f"Backbone {choice.name}: {choice.reason}.")
        return choice.name

    def _embed(self, backbone: Backbone, options: dict[str, object]) -> None:
        mask_method = options["mask"]
        if options["retry_failed"]:
            n_retried = services.forget_failures(backbone=backbone, mask_method=mask_method)
            self.stdout.write(f"{backbone}: trying {n_retried:,} failed photos again.")
        failed = failures(backbone)
        n_failed_before = failed.count()
        run = services.embed_missing if options["inline"] else embed_by_workers
        with EmbeddingProgress(
            str(backbone), count_failed=lambda: failed.count() - n_failed_before
        ) as progress:
            summary = run(backbone=backbone, mask_method=mask_method, on_progress=progress)
        self._report(backbone, summary)
        with StagedProgress() as bars:
            for name in ensure_search_indexes(backbone, on_progress=bars):
                self.stdout.write(f"{backbone}: built the vector index {name}.")

    def _report(self, backbone: Backbone, summary: services.EmbeddingSummary) -> None:
        if summary.n_ready or summary.n_failed:
            self.stdout.write(
                f"{backbone}: {summary.n_ready:,} photos embedded, {summary.n_failed:,} failed "
                f"in {summary.seconds:.1f} s ({summary.images_per_second:.1f} images/s)."
            )
            if summary.way:
                self.stdout.write(f"{backbone}: embedded by {summary.way}.")
        else:
            n_current = Embedding.objects.current().of(backbone).count()
            self.stdout.write(f"{backbone}: nothing is missing ({n_current:,} embeddings).")
        self._list_failures(backbone)

    def _list_failures(self, backbone: Backbone) -> None:
        failed = failures(backbone).select_related("image__product").order_by("image_id")
        n_failed = failed.count()
        for row in failed[:MAX_LISTED]:
            self.stderr.write(f"  {row.image.product.item_id} ({row.image.view}): {row.error}")
        if n_failed > MAX_LISTED:
            self.stderr.write(f"  ... and {n_failed - MAX_LISTED:,} more")
        if n_failed:
            self.stderr.write(f"{backbone}: {n_failed:,} failed; --retry-failed tries them again.")

    def _how_to_resume(self, options: dict[str, object]) -> str:
        goes_on = "" if options["inline"] else "The worker finishes what is in its queue. "
        return f"Stopped. {goes_on}What is stored stays; the same command goes on from there."
