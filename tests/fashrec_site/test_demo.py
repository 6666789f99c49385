"""The demo's promises: its own home, clear refusals, a worker that ends with it."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from fashrec_site.demo.home import MARKER, DemoError, check_photos, demo_home, prepare_home
from fashrec_site.demo.serving import check_port

ROOT = Path(__file__).resolve().parent.parent.parent


def run_demo(home: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "fashrec_site.demo", *arguments],
        cwd=ROOT,
        env={**os.environ, "FASHREC_HOME": str(home), **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_new_home_is_marked_and_found_again(tmp_path):
    home = demo_home(tmp_path)
    assert prepare_home(home, None) is True
    assert prepare_home(home, None) is False
    assert json.loads((home / MARKER).read_text()) == {"photos": "drawn"}


def test_the_home_is_emptied_when_photos_change(tmp_path, capsys):
    home = demo_home(tmp_path)
    prepare_home(home, None)
    (home / "media").mkdir()
    assert prepare_home(home, tmp_path / "photos") is True
    assert f"{home} was made from drawn photos; it is emptied for" in capsys.readouterr().err
    assert sorted(path.name for path in home.iterdir()) == [MARKER]


def test_a_folder_that_is_not_the_demos_is_never_emptied(tmp_path):
    home = demo_home(tmp_path)
    home.mkdir()
    (home / "thesis.txt").write_text("years of work")
    with pytest.raises(DemoError, match="is not the demo's own folder"):
        prepare_home(home, None)
    assert (home / "thesis.txt").read_text() == "years of work"


def test_an_emptied_home_takes_the_folder_behind_a_servers_link_with_it(tmp_path):
    home, elsewhere = demo_home(tmp_path), tmp_path / "elsewhere"
    prepare_home(home, None)
    elsewhere.mkdir()
    (home / "servers").symlink_to(elsewhere)
    prepare_home(home, tmp_path / "photos")
    assert not elsewhere.exists()


def test_photos_must_be_a_folder_that_holds_some(tmp_path):
    (tmp_path / "file.jpg").write_bytes(b"")
    (tmp_path / "empty" / "deeper").mkdir(parents=True)
    for wrong, reason in (
        (tmp_path / "nowhere", "is not there"),
        (tmp_path / "file.jpg", "is a file"),
        (tmp_path / "empty", "holds no photo"),
    ):
        with pytest.raises(DemoError, match=reason):
            check_photos(wrong)
    (tmp_path / "empty" / "deeper" / "a.JPG").write_bytes(b"")
    assert check_photos(tmp_path / "empty") == tmp_path / "empty"


def test_a_taken_port_is_refused_before_any_work(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(DemoError, match=f"port {port} cannot be used"):
            check_port(port)
        result = run_demo(tmp_path, "--port", str(port))
    assert result.returncode == 2
    assert f"make demo: port {port} cannot be used" in result.stderr
    assert "Traceback" not in result.stderr
    assert not demo_home(tmp_path).exists()


def test_wrong_photos_end_with_one_line(tmp_path):
    result = run_demo(tmp_path, "--photos", str(tmp_path / "nowhere"))
    assert result.returncode == 2
    assert result.stderr.strip().count("\n") == 0
    assert "nowhere is not there; give a folder of photos" in result.stderr


def test_the_demo_uses_its_own_servers_whatever_is_configured(tmp_path):
    code = (
        "from pathlib import Path; from fashrec_site.demo.__main__ import _enter;"
        f"_enter(Path({str(tmp_path)!r})); from django.conf import settings;"
        "print(settings.DATABASES['default']['ENGINE'], settings.REDIS_URL == '',"
        " settings.FASHREC_HOME, settings.FASHREC_DEMO)"
    )
    configured = {
        "DATABASE_URL": "postgres://user@real.example/catalogue",
        "REDIS_URL": "redis://real.example/0",
        "FASHREC_ENV": "production",
    }
    result = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, **configured},
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stdout.split() == [
        "fashrec_site.embedded.postgresql",
        "True",
        str(tmp_path),
        "True",
    ]
