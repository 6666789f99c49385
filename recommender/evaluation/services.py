"""Evaluate the recommender on whatever is in the database, and write the report."""

import json
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.conf import settings as django_settings
from django.utils import timezone

from recommender.evaluation import folders
from recommender.evaluation.candidates import choose_backbones, require_data
from recommender.evaluation.catalogue import load_catalogue
from recommender.evaluation.experiment import paper_settings
from recommender.evaluation.pictures import Picture, draw_pictures
from recommender.evaluation.provenance import run_settings
from recommender.evaluation.report import REPORT_FILE, report_text
from recommender.evaluation.stages import Evaluation, OnProgress, silent
from recommender.models import EvaluationRun

DEFAULT_SEED = 42


def evaluate(
    *,
    backbones: Sequence[str] | None = None,
    k: int = 5,
    output: Path | None = None,
    seed: int = DEFAULT_SEED,
    on_progress: OnProgress | None = None,
) -> EvaluationRun:
    """Recompute the paper's experiment, and more, and write the report; the run that keeps it.

    It measures the formula: what the shop boosts, buries or pins counts for nothing here.

    Args:
        backbones: names; by default all active ones that have vectors of most products.
        k: recommendations per purchase.
        output: the report's folder, replaced where it holds an earlier report; by default a new
            one in FASHREC_HOME/reports, to which `latest` there then points.
        seed: of the bootstrap and of what the pictures show.
        on_progress: called with a stage, its steps done, and their number.

    Raises:
        EvaluationError: nothing to evaluate, or an unknown backbone.
        ReportFolderError: no report can be written there.
        RankingError: a k that cannot rank.
    """
    started, now = time.monotonic(), timezone.now().astimezone(UTC)
    on_progress = on_progress or silent
    reports = Path(django_settings.FASHREC_HOME) / "reports"
    destination = Path(output) if output else folders.timed_folder(reports, now)
    folders.check_destination(destination)
    evaluation, settings = _read(backbones, k, seed, now, on_progress)
    run = EvaluationRun.objects.create(settings=settings)
    try:
        with folders.whole_folder(destination) as folder:
            results = {"settings": settings, **evaluation.results()}
            results["pictures"] = _pictures(evaluation, results, folder)
            settings["seconds"] = round(time.monotonic() - started, 1)
            _write(results, folder)
        _keep(run, settings, results, destination)
    except BaseException:  # also Ctrl-C: a run without results would look like a report
        run.delete()
        raise
    if output is None:
        folders.point_latest(destination)
    return run


def _read(
    names: Sequence[str] | None, k: int, seed: int, now: datetime, on_progress: OnProgress
) -> tuple[Evaluation, dict[str, Any]]:
    """What there is to evaluate, and the settings that evaluation.json tells of it."""
    on_progress("Reading the database", 0, 1)
    catalogue = load_catalogue()
    require_data(catalogue)
    compared, skipped = choose_backbones(names, catalogue)
    ranking = paper_settings(compared[0].backbone, k)
    settings = run_settings(
        catalogue=catalogue,
        ranking=ranking,
        backbones=[vectors.backbone for vectors in compared],
        skipped=skipped,
        seed=seed,
        started_at=now.isoformat(timespec="seconds"),
    )
    on_progress("Reading the database", 1, 1)
    return Evaluation(catalogue, compared, ranking, seed, on_progress), settings


def _pictures(evaluation: Evaluation, results: dict[str, Any], folder: Path) -> list[Picture]:
    evaluation.on_progress("Drawing pictures", 0, 1)
    pictures = draw_pictures(
        results=results,
        catalogue=evaluation.catalogue,
        ranked=evaluation.ranked,
        seed=evaluation.seed,
        folder=folder,
    )
    evaluation.on_progress("Drawing pictures", 1, 1)
    return pictures


def _write(results: dict[str, Any], folder: Path) -> None:
    text = json.dumps(results, indent=2, allow_nan=False, ensure_ascii=False)
    (folder / folders.RESULTS_FILE).write_text(text + "\n", encoding="utf-8")
    (folder / REPORT_FILE).write_text(report_text(results), encoding="utf-8")


def _keep(
    run: EvaluationRun, settings: dict[str, Any], results: dict[str, Any], folder: Path
) -> None:
    run.settings = settings
    run.results = {key: value for key, value in results.items() if key != "settings"}
    run.report_folder = str(folder)
    run.finished_at = timezone.now()
    run.save()
