import os
import subprocess
import sys

import pytest
from django.core.management import CommandError, call_command

from catalog.importing.writing import CatalogWriter
from catalog.models import Category, Product
from tests.catalog.sources import DRESS, draw, write_manifest

pytestmark = pytest.mark.django_db


def run(capsys, *arguments):
    """The exit code, stdout and stderr; errors as manage.py would report them."""
    code, message = 0, ""
    try:
        call_command("import_products", *map(str, arguments))
    except CommandError as error:
        code, message = error.returncode, str(error)
    captured = capsys.readouterr()
    return code, captured.out, captured.err + message


def test_the_summary_says_what_was_created_and_what_to_do_next(tmp_path, capsys):
    draw(tmp_path / "photos" / DRESS)
    draw(tmp_path / "maps" / DRESS.replace(".jpg", "_segm.png"))
    arguments = (tmp_path / "photos", "--segmentation", tmp_path / "maps")
    assert run(capsys, *arguments) == (
        0,
        "Read DeepFashion file names.\n"
        "Products: 1 created, 0 updated, 0 unchanged; categories: 1 created.\n"
        "Photos: 1 created, 0 replaced, 0 unchanged; segmentation maps: 1 stored.\n"
        "Next: manage.py embed_products\n",
        "",
    )
    code, out, _ = run(capsys, *arguments)
    assert code == 0 and "Next:" not in out


def test_stop_lists_what_is_bad_and_exits_with_1(tmp_path, capsys):
    write_manifest(tmp_path, "item_id,image,category,extra", "1,a.jpg,x,y", "2,images/2.jpg,x,y")
    assert run(capsys, tmp_path) == (
        1,
        "",
        "warning: unknown columns of the manifest were ignored: 'extra'\n"
        "line 2: image: there is no such file, got 'a.jpg'\n"
        "Nothing was imported: 1 of 2 photos or lines have problems. "
        "Correct them, or import the rest with --on-error skip.",
    )
    assert not Product.objects.exists()


def test_skip_imports_the_rest_and_exits_with_3(tmp_path, capsys):
    write_manifest(tmp_path, "item_id,image,category", "1,a.jpg,x", "2,images/2.jpg,x")
    code, out, err = run(capsys, tmp_path, "--on-error", "skip")
    assert code == 3
    assert "Products: 1 created" in out
    assert err == (
        "line 2: image: there is no such file, got 'a.jpg'\n1 of 2 were skipped, as listed above."
    )


def test_skip_without_bad_rows_exits_with_0(tmp_path, capsys):
    draw(tmp_path / "red.jpg")
    assert run(capsys, tmp_path, "--on-error", "skip")[0] == 0


def test_fifty_problems_are_listed_in_order_and_the_rest_counted(tmp_path, capsys):
    lines = [f"{n},none.jpg,x" for n in range(60)]
    write_manifest(tmp_path, "item_id,image,category", *lines)
    listed = run(capsys, tmp_path)[2].splitlines()
    assert [line.split(":")[0] for line in listed[:50]] == [f"line {n}" for n in range(2, 52)]
    assert listed[50] == "... and 10 more"


def test_an_unusable_path_is_one_line_and_exits_with_1(tmp_path, capsys):
    assert run(capsys, tmp_path) == (
        1,
        "",
        f"{tmp_path} holds no photo: expected .jpg, .jpeg, .png, .webp files in it or in folders "
        "named by category, or a manifest.csv; found nothing.",
    )


def test_ctrl_c_is_one_line_and_writes_nothing(tmp_path, capsys, monkeypatch):
    draw(tmp_path / "red.jpg")

    def interrupt(writer, items):
        raise KeyboardInterrupt

    monkeypatch.setattr(CatalogWriter, "write", interrupt)
    assert run(capsys, tmp_path) == (130, "", "Interrupted; nothing was imported.")
    assert not Category.objects.exists()


def test_manage_py_passes_the_exit_code_on(tmp_path):
    command = [sys.executable, "manage.py", "import_products", str(tmp_path / "none")]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert "does not exist; expected a folder of photos" in done.stderr
    assert "Traceback" not in done.stderr
