"""Finding, downloading and refusing weights, against a real HTTP server and real files."""

import os
import socket
import threading
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
import torch

from embeddings.nets.backbones import BACKBONES
from embeddings.nets.errors import WeightsRejected, WeightsUnavailable, WeightsUnreachable
from embeddings.nets.networks import Network, load_network
from embeddings.nets.weights import WeightsSource, file_sha256
from tests.embeddings.nets.tiny_backbone import TINY, as_pth, as_safetensors, published, tiny_state

CROPS = np.random.default_rng(0).integers(0, 255, (2, 224, 224, 3), dtype=np.uint8)


class Files(BaseHTTPRequestHandler):
    """Serves `files`; of a file in `cut_off` only the first half of what it announces."""

    def __init__(self, files, cut_off, asked, *args):
        self.files, self.cut_off, self.asked = files, cut_off, asked
        super().__init__(*args)

    def do_GET(self):
        self.asked.append(self.path)
        name = self.path.rpartition("/")[2]
        if name not in self.files:
            self.send_error(404)
            return
        content = self.files[name]
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: len(content) // 2] if name in self.cut_off else content)

    def log_message(self, *args):
        """Be silent."""


@pytest.fixture
def server():
    """A file server: (its address, its files, names that it cuts off, what it was asked for)."""
    files, cut_off, asked = {}, set(), []
    httpd = ThreadingHTTPServer(("127.0.0.1", 0), partial(Files, files, cut_off, asked))
    thread = threading.Thread(target=httpd.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{httpd.server_port}/models", files, cut_off, asked
    httpd.shutdown()
    thread.join()
    httpd.server_close()


@pytest.fixture
def folders(tmp_path):
    """(the folder of files given by hand, the folder of downloads)."""
    given = tmp_path / "given"
    given.mkdir()
    return given, tmp_path / "cache"


def closed_port():
    """The address of a port that nobody listens at."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{listener.getsockname()[1]}"


def test_a_download_is_checked_cached_and_not_asked_for_again(server, folders):
    address, files, _, asked = server
    content = as_pth(tiny_state())
    spec = published(content)
    files[spec.weights_file] = content
    source = WeightsSource(cache_dir=folders[1], base_url=address)

    network, sha256 = load_network(spec, source)
    again, _ = load_network(spec, source)

    assert network.features(CROPS).shape == (2, 16)
    assert (network.features(CROPS) == again.features(CROPS)).all()
    assert sha256 == file_sha256(folders[1] / spec.weights_file)
    assert asked == [f"/models/{spec.weights_file}"]
    assert [path.name for path in folders[1].iterdir()] == [spec.weights_file]


def test_a_truncated_download_is_rejected_and_leaves_no_file(server, folders):
    address, files, cut_off, _ = server
    content = as_pth(tiny_state())
    spec = published(content)
    files[spec.weights_file] = content
    cut_off.add(spec.weights_file)

    with pytest.raises(WeightsRejected, match=r"weights rejected: .* was cut off"):
        load_network(spec, WeightsSource(cache_dir=folders[1], base_url=address))

    assert list(folders[1].iterdir()) == []


def test_a_download_with_another_hash_is_rejected_and_leaves_no_file(server, folders):
    address, files, _, _ = server
    spec = published(as_pth(tiny_state(seed=0)))
    files[spec.weights_file] = as_pth(tiny_state(seed=1))

    with pytest.raises(WeightsRejected, match=r"weights rejected: .* has SHA-256 .*, expected"):
        load_network(spec, WeightsSource(cache_dir=folders[1], base_url=address))

    assert list(folders[1].iterdir()) == []


def test_missing_weights_are_one_line_with_the_places_and_the_way_out(folders):
    given, cache = folders
    address = closed_port()
    source = WeightsSource(cache_dir=cache, weights_dir=given, base_url=address)

    with pytest.raises(WeightsUnreachable) as error:
        source.obtain(BACKBONES["resnet50"])

    line = str(error.value)
    assert "\n" not in line
    for part in (
        f"{given}/{{resnet50.safetensors,resnet50-0676ba61.pth}}",
        f"{cache}/resnet50-0676ba61.pth",
        f"{address}/resnet50-0676ba61.pth",
        "FASHREC_WEIGHTS_DIR",
        "color_layout",
    ):
        assert part in line


def test_a_file_that_the_server_does_not_have_is_unavailable(server, folders):
    with pytest.raises(WeightsUnavailable, match="404"):
        load_network(TINY, WeightsSource(cache_dir=folders[1], base_url=server[0]))


def test_a_server_that_never_answers_is_given_up(folders):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        source = WeightsSource(
            cache_dir=folders[1],
            base_url=f"http://127.0.0.1:{silent.getsockname()[1]}",
            connect_timeout_seconds=0.2,
        )
        with pytest.raises(WeightsUnreachable, match=r"no answer within 0\.2 s|timed out"):
            source.obtain(TINY)


def test_files_given_by_hand_win_over_downloads_and_safetensors_over_pickles(folders):
    given, cache = folders
    cache.mkdir()
    content = as_pth(tiny_state(seed=2))
    spec = published(content)
    source = WeightsSource(cache_dir=cache, weights_dir=given, base_url=closed_port())
    found = []
    for path, data in (
        (cache / spec.weights_file, content),
        (given / spec.weights_file, content),
        (given / "tiny.safetensors", as_safetensors(tiny_state(seed=3))),
    ):
        path.write_bytes(data)
        found.append(source.local_file(spec))

    assert found == [
        cache / spec.weights_file,
        given / spec.weights_file,
        given / "tiny.safetensors",
    ]
    expected = published(b"").cut(published(b"").build_classifier())
    expected.load_state_dict(
        {k.removeprefix("trunk."): v for k, v in tiny_state(seed=3).items() if "trunk" in k}
    )
    network, _ = load_network(spec, source)
    features = Network(spec, expected).features(CROPS)
    assert np.allclose(network.features(CROPS), features, rtol=1e-5)


def test_half_precision_weights_are_loaded_in_single_precision(folders):
    given, cache = folders
    halves = {k: v.half() if v.is_floating_point() else v for k, v in tiny_state().items()}
    (given / "tiny.safetensors").write_bytes(as_safetensors(halves))

    network, _ = load_network(TINY, WeightsSource(cache_dir=cache, weights_dir=given))

    assert {p.dtype for p in network.module.parameters()} == {torch.float32}
    assert network.features(CROPS).dtype == np.float32
    assert not network.module.training


def test_given_weights_of_torchvisions_name_must_have_its_hash(folders):
    given, cache = folders
    spec = published(as_pth(tiny_state(seed=0)))
    (given / spec.weights_file).write_bytes(as_pth(tiny_state(seed=1)))

    with pytest.raises(WeightsRejected, match=r"weights rejected: .*expected"):
        load_network(spec, WeightsSource(cache_dir=cache, weights_dir=given))


def without_head():
    return {name: value for name, value in tiny_state().items() if "head" not in name}


def with_wider_head():
    return tiny_state() | {"head.weight": torch.zeros(3, 17)}


def with_a_nan():
    state = tiny_state()
    state["trunk.0.weight"][0, 0, 0, 0] = float("nan")
    return state


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (as_safetensors(tiny_state())[:-10], "rror"),
        (b"", "rror"),
        (as_safetensors(without_head()), r"Missing key.*head\.weight"),
        (as_safetensors(with_wider_head()), "size mismatch for head"),
        (as_safetensors(with_a_nan()), r"trunk\.0\.weight holds values that are not finite"),
    ],
    ids=["truncated", "empty", "missing keys", "wrong dimension", "not finite"],
)
def test_bad_safetensors_are_rejected_in_one_line(folders, content, reason):
    given, cache = folders
    (given / "tiny.safetensors").write_bytes(content)

    with pytest.raises(WeightsRejected, match=reason) as error:
        load_network(TINY, WeightsSource(cache_dir=cache, weights_dir=given))

    assert str(error.value).startswith(f"weights rejected: {given}/tiny.safetensors: ")
    assert "\n" not in str(error.value)


class Payload:
    """Runs a command when an ordinary pickle reader opens it."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def test_a_pickle_payload_is_rejected_and_not_run(folders, tmp_path):
    given, cache = folders
    content = as_pth({"trunk.0.weight": Payload(tmp_path / "executed")})
    spec = published(content)
    (given / spec.weights_file).write_bytes(content)

    with pytest.raises(WeightsRejected, match="weights rejected"):
        load_network(spec, WeightsSource(cache_dir=cache, weights_dir=given))

    assert not (tmp_path / "executed").exists()


@pytest.mark.parametrize(
    "content",
    [as_pth(tiny_state())[:300], b"", b"\x80\x02.", as_pth([1, 2]), as_pth({"epoch": 3})],
    ids=["truncated", "empty", "empty pickle", "a list", "numbers"],
)
def test_a_pth_file_that_holds_no_parameters_is_rejected(folders, content):
    given, cache = folders
    spec = published(content)
    (given / spec.weights_file).write_bytes(content)

    with pytest.raises(WeightsRejected, match="weights rejected") as error:
        load_network(spec, WeightsSource(cache_dir=cache, weights_dir=given))

    assert "\n" not in str(error.value)


def test_densenets_published_names_of_before_the_renaming_are_understood(folders):
    given, cache = folders
    spec = BACKBONES["densenet121"]
    torch.manual_seed(0)
    classifier = spec.build_classifier()
    todays = classifier.state_dict()
    olds = {
        name.replace("norm1.", "norm.1.")
        .replace("norm2.", "norm.2.")
        .replace("conv1.", "conv.1.")
        .replace("conv2.", "conv.2."): value
        for name, value in todays.items()
    }
    assert olds.keys() != todays.keys()
    (given / "densenet121.safetensors").write_bytes(as_safetensors(olds))

    network, _ = load_network(spec, WeightsSource(cache_dir=cache, weights_dir=given))

    features = Network(spec, spec.cut(classifier)).features(CROPS)
    assert np.allclose(network.features(CROPS), features, rtol=1e-4, atol=1e-6)
