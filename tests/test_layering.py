"""Imports point down, as the layout says; parsed, not run."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
APPS = ("catalog", "shoppers", "embeddings", "recommender", "fashrec_site")
MAY_IMPORT = {
    "catalog": {"catalog"},
    "shoppers": {"shoppers", "catalog"},
    "embeddings": {"embeddings", "catalog"},
    "recommender": {"recommender", "shoppers", "embeddings", "catalog"},
    "fashrec_site": set(APPS),
}
FREE_OF_DJANGO = (
    "embeddings/garments",
    "embeddings/mask_evaluation",
    "embeddings/nets",
    "embeddings/photo_sets",
    "embeddings/training",
    "recommender/learning",
)
# catalog's readers of names and maps are free of Django too (tests/embeddings/photo_sets)
MAY_BORROW = {"embeddings/photo_sets": {"catalog"}}


def imported_packages(file: Path, only_top_level: bool = False) -> set[str]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    nodes = tree.body if only_top_level else ast.walk(tree)
    names = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names.add(node.module.split(".")[0])
    return names


@pytest.mark.parametrize("app", APPS)
def test_an_app_imports_only_apps_below_it(app):
    for file in (ROOT / app).rglob("*.py"):
        upward = (imported_packages(file) & set(APPS)) - MAY_IMPORT[app]
        assert not upward, f"{file.relative_to(ROOT)} imports {upward}"


@pytest.mark.parametrize("folder", FREE_OF_DJANGO)
def test_network_code_knows_nothing_of_django(folder):
    for file in (ROOT / folder).rglob("*.py"):
        allowed = {folder.split("/")[0], *MAY_BORROW.get(folder, ())}
        foreign = imported_packages(file) & {"django", *APPS} - allowed
        assert not foreign, f"{file.relative_to(ROOT)} imports {foreign}"


def test_torch_is_imported_only_inside_functions_or_in_network_code():
    for app in APPS:
        for file in (ROOT / app).rglob("*.py"):
            relative = str(file.relative_to(ROOT))
            if not relative.startswith(FREE_OF_DJANGO):
                heavy = imported_packages(file, only_top_level=True) & {"torch", "torchvision"}
                assert not heavy, f"{relative} imports {heavy} when the web server starts"
