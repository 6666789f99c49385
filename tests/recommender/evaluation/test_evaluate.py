"""`manage.py evaluate` from the database to the report's files."""

import json
import re
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from catalog.models import Gender, Product
from embeddings.models import Backbone, Embedding, ProductVector
from recommender.evaluation.services import evaluate
from recommender.models import EvaluationRun
from shoppers.models import Purchase
from tests.factories import ProductFactory
from tests.recommender.evaluation.shops import hand_placed_shop, shop_with_maps
from tests.recommender.worlds import World

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def home(settings, tmp_path):
    """Reports of each test go to a home of its own."""
    settings.FASHREC_HOME = tmp_path / "home"
    return settings.FASHREC_HOME


def results_of(folder) -> dict:
    return json.loads((folder / "evaluation.json").read_text())


def tables_of(tmp_path, **options) -> dict:
    evaluate(output=tmp_path / "report", **options)
    return results_of(tmp_path / "report")["tables"]


def test_the_command_writes_tables_with_plain_numbers_intervals_and_counts(tmp_path):
    hand_placed_shop()
    printed = StringIO()
    call_command("evaluate", output=tmp_path / "report", k=2, stdout=printed)
    results = results_of(tmp_path / "report")
    tables = results["tables"]
    assert [row["backbone"] for row in tables["backbones"]] == ["hand"]
    assert [row["variant"] for row in tables["ablation"]] == [
        "full",
        "no popularity",
        "no visual",
        "no masks",
        "public code",
    ]
    assert [row["group"] for row in tables["trendiness"]] == ["low", "medium", "high"]
    for key in ("category_similarity", "gender_alignment", "popularity_mae"):
        row = tables["backbones"][0]
        low, high = row[f"{key}_interval"]
        assert 0 <= low <= row[key] <= high <= 100
        assert row["n_recommendations"] == row[f"{key}_n"] == 12  # 6 purchases, 2 each
    assert f"Report: {tmp_path / 'report' / 'report.md'}" in printed.getvalue()
    assert re.search(r"hand: category similarity \S+ \[\S+, \S+\] %", printed.getvalue())


def test_the_settings_tell_how_to_repeat_the_run(tmp_path):
    world = hand_placed_shop()
    evaluate(output=tmp_path / "report", k=3, seed=5)
    settings = results_of(tmp_path / "report")["settings"]
    assert (settings["k"], settings["seed"], settings["gamma"]) == (3, 5, 2.0)
    assert settings["weights"] == {"visual": 0.7, "popularity": 0.3, "category": 0.0}
    assert settings["backbones"] == [
        {"name": "hand", "dimension": 4, "weights_sha256": world.backbone.weights_sha256}
    ]
    assert settings["database"]["active_products"] == 12
    assert settings["database"]["purchases"] == 6
    assert settings["database"]["simulated_purchases"] == 0
    assert re.match(r"[0-9a-f]{12}|version ", settings["code_version"])
    assert settings["seconds"] > 0


def test_the_first_table_by_hand(tmp_path):
    world = World(Backbone.objects.create(name="resnet50", dimension=2))
    world.add("bought", (1, 0), popularity=0, category="Dresses")
    world.add("near", (4, 3), popularity=49, category="Dresses")
    world.add("far", (3, 4), popularity=101, category="Pants", gender=Gender.MEN)
    world.add("unisex", (0, 1), popularity=26, category="Pants", gender=Gender.UNISEX)
    world.shopper("bought", trendiness=0.5)  # its popularity: 1 of 1 to 101
    row = tables_of(tmp_path, k=2)["backbones"][0]
    # by the formula: near .7*.8 + .3*(1 - .02^2), unisex .3*(1 - .25^2), and without the filter far
    assert row["category_similarity"] == pytest.approx((100 + 10) / 2)
    assert row["popularity_mae"] == pytest.approx((2 + 25) / 2)
    assert row["gender_alignment"] == 100
    assert (row["gender_alignment_without_unisex"], row["gender_alignment_without_unisex_n"]) == (
        100,
        1,
    )
    assert row["gender_alignment_unfiltered"] == 50
    assert row["gender_alignment_without_unisex_unfiltered"] == 50
    assert row["gender_alignment_chance"] == 75
    assert row["gender_alignment_without_unisex_chance"] == pytest.approx(200 / 3, abs=1e-3)
    assert row["coverage"] == 50
    assert (row["n_recommendations"], row["n_purchases"], row["n_shoppers"]) == (2, 1, 1)
    assert row["category_similarity_interval"] is None  # one shopper cannot be resampled
    assert row["published"]["category_similarity"] == 64.95
    assert "not comparable" in row["published"]["label"]


def test_the_ablation_changes_what_its_names_say(tmp_path):
    hand_placed_shop()
    rows = {row["variant"]: row for row in tables_of(tmp_path, k=3)["ablation"]}
    assert rows["no visual"]["popularity_mae"] < rows["full"]["popularity_mae"]
    assert rows["no popularity"]["popularity_mae"] > rows["full"]["popularity_mae"]
    assert rows["no popularity"]["category_similarity"] > rows["no visual"]["category_similarity"]
    assert rows["full"]["gender_alignment"] == 100
    assert rows["public code"]["gender_alignment"] < 100  # it filters no gender
    assert rows["full"]["published"]["popularity_mae"] == 12.92
    assert rows["public code"]["published"] is None


def test_shoppers_are_grouped_by_trendiness(tmp_path):
    world = hand_placed_shop()
    for trendiness in (0.33, 0.66):
        world.shopper("p10", trendiness=trendiness, external_id=f"at {trendiness}")
    rows = {row["group"]: row for row in tables_of(tmp_path)["trendiness"]}
    counted = {group: (row["n_shoppers"], row["n_purchases"]) for group, row in rows.items()}
    assert counted == {"low": (1, 3), "medium": (2, 3), "high": (2, 2)}


def test_nothing_bought_or_inactive_is_recommended_and_what_cannot_be_compared_is_counted(tmp_path):
    world = hand_placed_shop()
    Product.objects.filter(item_id__in=["p7", "p9", "p10", "p11"]).update(is_active=False)
    world.shopper("p2", external_id="buys the same product twice")
    again = Purchase.objects.get(shopper__external_id="cis")
    Purchase.objects.create(
        shopper=again.shopper, product=again.product, purchased_at="2025-06-01T00:00Z"
    )
    row = tables_of(tmp_path, k=20)["backbones"][0]
    assert row["n_purchases"] == 6  # p7 is gone; a product bought twice is one to compare with
    assert row["n_purchases_left_out"] == 1
    women = {"p1", "p2", "p4", "p5", "p8"}
    n_left = {"ann": len(women) - 3, "bea": len(women) - 1, "cis": len(women) - 1, "same": 4}
    expected = 3 * n_left["ann"] + n_left["bea"] + n_left["cis"] + n_left["same"]
    assert row["n_recommendations"] == expected
    report = (tmp_path / "report" / "report.md").read_text()
    assert "- 1 purchased products have no vector of hand, or are no longer on sale" in report


def test_without_maps_there_is_no_masked_variant(tmp_path):
    hand_placed_shop()
    evaluate(output=tmp_path / "report")
    results = results_of(tmp_path / "report")
    row = results["tables"]["ablation"][3]
    assert (row["variant"], row["status"]) == ("no masks", "not applicable")
    assert row["reason"] == "the catalogue has no segmentation maps"
    assert row["category_similarity"] is None
    assert [(row["backbone"], row["masks"]) for row in results["visual"]] == [
        ("hand", "whole photo")
    ]
    report = (tmp_path / "report" / "report.md").read_text()
    assert "| no masks | not applicable |" in report
    assert "No masks: not applicable, as the catalogue has no segmentation maps." in report
    assert not (tmp_path / "report" / "figure_2_masks.png").exists()


def test_with_maps_whole_photos_are_embedded_and_compared(tmp_path):
    backbone = shop_with_maps()
    assert not Embedding.objects.filter(mask_method="none").exists()
    evaluate(output=tmp_path / "report", k=2)
    results = results_of(tmp_path / "report")
    row = results["tables"]["ablation"][3]
    assert row["variant"] == "no masks"
    assert "status" not in row
    assert row["n_recommendations"] == 16
    assert Embedding.objects.current().of(backbone).filter(mask_method="none").count() == 8
    assert ProductVector.objects.filter(embedding__mask_method="none").count() == 0
    masked, whole = results["visual"]
    assert (masked["masks"], whole["masks"]) == ("segmentation map", "whole photo")
    assert masked["same_category_precision"] == 100  # two garments' colours, the same masks
    assert masked["same_category_precision_n"] == masked["n_photos"] == 8
    gain = masked["same_category_precision"] - whole["same_category_precision"]
    assert masked["gain_over_whole_photo"] == pytest.approx(gain, abs=1e-3)
    assert masked["chance"] == pytest.approx(100 * 3 / 7, abs=1e-3)
    assert (tmp_path / "report" / "figure_2_masks.png").exists()


def test_a_shop_of_one_gender_has_no_figure_about_gender(tmp_path):
    hand_placed_shop(men=False)
    row = tables_of(tmp_path)["backbones"][0]
    assert row["gender_alignment"] is None
    assert row["gender_alignment_unfiltered"] is None
    report = (tmp_path / "report" / "report.md").read_text()
    assert "ender alignment" not in report
    assert "- All products have one gender, so nothing is said about gender." in report


def test_the_held_out_section_has_the_backbone_and_the_plain_rankers(tmp_path):
    hand_placed_shop()
    evaluate(output=tmp_path / "report", k=2)
    held_out = results_of(tmp_path / "report")["held_out"]
    assert held_out["n_shoppers"] == 2
    assert held_out["left_out"] == {"one purchase only": 1}
    rankers = [row["ranker"] for row in held_out["rankers"]]
    assert rankers == ["hand", "popularity near t", "popularity", "random"]
    assert {"recall", "ndcg", "hit_rate", "recall_interval"} <= held_out["rankers"][0].keys()


def test_the_report_shows_intervals_counts_and_pictures_that_exist(tmp_path):
    hand_placed_shop()
    evaluate(output=tmp_path / "report", k=2)
    report = (tmp_path / "report" / "report.md").read_text()
    row = results_of(tmp_path / "report")["tables"]["backbones"][0]
    low, high = row["category_similarity_interval"]
    assert f"{row['category_similarity']:.2f} [{low:.2f}, {high:.2f}]" in report
    assert "| 12 |" in report
    pictures = re.findall(r"!\[[^]]+\]\(([^)]+)\)", report)
    assert "figure_3_recommendations.png" in pictures
    for name in pictures:
        assert (tmp_path / "report" / name).read_bytes().startswith(b"\x89PNG")
    files = {path.name for path in (tmp_path / "report").iterdir()}
    assert files == {*pictures, "evaluation.json", "report.md"}
    assert "{" not in report.replace("{WOMEN|MEN}", "")  # every template was filled


def test_simulated_purchases_are_named_as_blind_to_looks(tmp_path):
    hand_placed_shop()
    Purchase.objects.filter(shopper__external_id="ann").update(is_simulated=True)
    evaluate(output=tmp_path / "report")
    assert "50% of the purchases are simulated" in (tmp_path / "report" / "report.md").read_text()


def test_the_run_is_kept_with_its_results_and_folder(tmp_path):
    hand_placed_shop()
    run = EvaluationRun.objects.get(pk=evaluate(output=tmp_path / "report").pk)
    results = results_of(tmp_path / "report")
    assert run.settings == results.pop("settings")
    assert run.results == results
    assert run.report_folder == str(tmp_path / "report")
    assert run.finished_at >= run.created_at


def test_the_same_seed_measures_the_same(tmp_path):
    hand_placed_shop()
    first, second = evaluate(seed=1), evaluate(seed=1)
    assert first.results == second.results


def test_reports_lie_in_the_home_and_latest_points_at_the_newest(home):
    hand_placed_shop()
    runs = [evaluate(), evaluate()]
    folders = {run.report_folder for run in runs}
    assert len(folders) == 2
    latest = home / "reports" / "latest"
    assert str(latest.resolve()) == runs[-1].report_folder
    assert {str(path) for path in (home / "reports").iterdir()} == {*folders, str(latest)}


def test_a_report_elsewhere_leaves_latest_alone(home, tmp_path):
    hand_placed_shop()
    evaluate(output=tmp_path / "elsewhere")
    assert not (home / "reports").exists()


@pytest.mark.parametrize("stage", ["Ablation", "Drawing pictures"])
def test_an_interrupted_evaluation_leaves_neither_files_nor_a_run(tmp_path, stage):
    hand_placed_shop()

    def interrupt(running: str, done: int, total: int) -> None:
        if running == stage:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        evaluate(output=tmp_path / "reports" / "one", on_progress=interrupt)
    assert list((tmp_path / "reports").iterdir()) == []
    assert not EvaluationRun.objects.exists()


def test_progress_reaches_its_end_in_every_stage(tmp_path):
    hand_placed_shop()
    seen: dict[str, tuple[int, int]] = {}

    def watch(stage: str, done: int, total: int) -> None:
        seen[stage] = (done, total)

    evaluate(output=tmp_path / "report", on_progress=watch)
    assert len(seen) >= 6
    assert all(done == total for done, total in seen.values())


def test_several_backbones_are_compared_most_preferred_first(tmp_path):
    world = hand_placed_shop("color_layout")
    _copy_vectors(world.backbone, Backbone.objects.create(name="mobilenet_v2", dimension=4))
    tables = tables_of(tmp_path)
    assert [row["backbone"] for row in tables["backbones"]] == ["mobilenet_v2", "color_layout"]
    assert {row["backbone"] for row in tables["ablation"] + tables["trendiness"]} == {
        "mobilenet_v2"
    }
    named = tables_of(tmp_path, backbones=["color_layout"])
    assert [row["backbone"] for row in named["backbones"]] == ["color_layout"]
    assert named["ablation"][0]["backbone"] == "color_layout"


def test_backbones_with_few_vectors_are_skipped_and_named(tmp_path):
    world = hand_placed_shop()
    few = Backbone.objects.create(name="resnet50", dimension=4)
    _copy_vectors(world.backbone, few, n=5)
    Backbone.objects.create(name="vgg16", dimension=4)
    Backbone.objects.create(name="retired", dimension=4, is_active=False)
    printed = StringIO()
    call_command("evaluate", output=tmp_path / "report", stdout=printed)
    assert results_of(tmp_path / "report")["settings"]["skipped_backbones"] == {
        "resnet50": "resnet50 has vectors of 5 of 12 active products",
        "vgg16": "vgg16 has vectors of 0 of 12 active products",
    }
    line = "Not compared: resnet50 has vectors of 5 of 12 active products."
    assert line in printed.getvalue()
    assert f"- {line}" in (tmp_path / "report" / "report.md").read_text()


def error_of(**options) -> str:
    with pytest.raises(CommandError) as refused:
        call_command("evaluate", **options)
    return str(refused.value)


def test_an_empty_catalogue_is_told_to_import():
    assert error_of() == (
        "There are no active products to evaluate: run `manage.py import_products PATH` first."
    )


def test_a_shop_without_purchases_is_told_to_simulate_or_import():
    ProductFactory()
    assert error_of() == (
        "There are no purchases to evaluate: run `manage.py simulate_purchases` or "
        "`manage.py import_purchases FILE.csv` first."
    )


def test_a_shop_without_vectors_is_told_to_embed():
    hand_placed_shop()
    Backbone.objects.all().delete()
    assert error_of() == (
        "No backbone has vectors of the active products: run `manage.py embed_products` first."
    )


def test_purchases_without_vectors_are_told_to_embed():
    hand_placed_shop()
    ProductVector.objects.filter(product__purchases__isnull=False).delete()
    assert error_of() == (
        "No purchased product is on sale with a vector of hand: "
        "run `manage.py embed_products --backbone hand` first."
    )


def test_an_unknown_backbone_is_told_what_there_is():
    hand_placed_shop()
    assert error_of(backbones=["hand", "resnet18"]) == (
        "Unknown backbone 'resnet18'; there are: hand. "
        "`manage.py embed_products --backbone resnet18` adds one that this project knows."
    )


def test_a_named_backbone_with_few_vectors_is_refused():
    world = hand_placed_shop()
    _copy_vectors(world.backbone, Backbone.objects.create(name="vgg16", dimension=4), n=2)
    assert error_of(backbones=["vgg16"]) == (
        "vgg16 has vectors of 2 of 12 active products: "
        "run `manage.py embed_products --backbone vgg16` first."
    )


def test_a_k_that_cannot_rank_is_refused(tmp_path):
    hand_placed_shop()
    assert error_of(k=0, output=tmp_path / "report") == "k must be from 1 to 100; got 0"
    assert not EvaluationRun.objects.exists()


def test_a_folder_that_is_no_report_is_not_written_into(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    assert error_of(output=tmp_path).startswith(f"{tmp_path} has files that are no report")


def _copy_vectors(source: Backbone, target: Backbone, n: int | None = None) -> None:
    """Give `target` the vectors of `source`, of the first `n` products."""
    for vector in ProductVector.objects.filter(backbone=source).order_by("pk")[:n]:
        embedding = vector.embedding
        embedding.pk, embedding.backbone = None, target
        embedding.save()
        vector.pk, vector.backbone, vector.embedding = None, target, embedding
        vector.save()
