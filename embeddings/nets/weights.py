"""Finding, downloading and checking the files of the backbones' weights. Free of torch.

Weights are never made up: what cannot be found, or does not pass its checks, is an error of one
line that says what was looked for, where, and how to get it.
"""

import hashlib
import http.client
import os
import queue
import tempfile
import threading
import urllib.error
import urllib.request
from collections.abc import Iterable
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from embeddings.nets.backbones import BackboneSpec
from embeddings.nets.errors import WeightsRejected, WeightsUnreachable, one_line

CONNECT_TIMEOUT_SECONDS = 5.0
CHUNK_BYTES = 1 << 20


@dataclass(frozen=True)
class WeightsSource:
    """Where weights are looked for: files given by hand, then earlier downloads, then the web.

    `base_url` replaces the folder of torchvision's URL (for a mirror, and for tests).
    """

    cache_dir: Path
    weights_dir: Path | None = None
    base_url: str | None = None
    connect_timeout_seconds: float = CONNECT_TIMEOUT_SECONDS

    def url(self, spec: BackboneSpec) -> str:
        """The download's address."""
        if self.base_url is None:
            return spec.url
        return f"{self.base_url.rstrip('/')}/{spec.weights_file}"

    def local_file(self, spec: BackboneSpec) -> Path | None:
        """The weights' file on this machine, unread; None where there is none."""
        candidates = [self.cache_dir / spec.weights_file]
        if self.weights_dir is not None:
            names = (f"{spec.name}.safetensors", spec.weights_file)
            candidates = [self.weights_dir / name for name in names] + candidates
        if spec.bundled_file is not None:
            candidates.append(spec.bundled_file)
        return next((path for path in candidates if path.is_file()), None)

    def obtain(self, spec: BackboneSpec) -> Path:
        """The weights' file, downloaded if it is not on this machine.

        Raises:
            WeightsUnavailable: there is none, or the download is refused.
        """
        return self.local_file(spec) or self._download(spec)

    def _download(self, spec: BackboneSpec) -> Path:
        url, target = self.url(spec), self.cache_dir / spec.weights_file
        try:
            response = _open_url(url, self.connect_timeout_seconds)
        except (OSError, http.client.HTTPException) as error:
            raise WeightsUnreachable(self._how_to_get(spec, url, error)) from error
        with response, _partial_file(target) as file:
            try:
                _copy(response, file, label=target.name)
            except http.client.IncompleteRead as error:
                raise WeightsRejected(Path(target.name), f"{url} was cut off: {error}") from error
            except (OSError, http.client.HTTPException) as error:
                raise WeightsUnreachable(self._how_to_get(spec, url, error)) from error
            file.flush()
            os.fsync(file.fileno())
            _check_size(response, Path(file.name), url)
            check_name_hash(Path(file.name), spec.weights_file, url)
            Path(file.name).replace(target)
        return target

    def _how_to_get(self, spec: BackboneSpec, url: str, error: Exception) -> str:
        places = [str(self.cache_dir / spec.weights_file)]
        if self.weights_dir is not None:
            name = f"{{{spec.name}.safetensors,{spec.weights_file}}}"
            places.insert(0, str(self.weights_dir / name))
        return one_line(
            f"no weights for {spec.name}: looked for {' and '.join(places)}, and {url} gave "
            f"({error}); download that file on another machine and point FASHREC_WEIGHTS_DIR at "
            "its folder, or use the backbone color_layout, which needs none"
        )


def file_sha256(path: Path) -> str:
    """The SHA-256 of a file's content in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_name_hash(path: Path, name: str, origin: object) -> None:
    """Torchvision's file names end in the first digits of the content's SHA-256."""
    expected = PurePosixPath(name).stem.rpartition("-")[2]
    digest = file_sha256(path)
    if not digest.startswith(expected):
        raise WeightsRejected(
            Path(name), f"{origin} has SHA-256 {digest[:16]}..., expected {expected}..."
        )


def _check_size(response: http.client.HTTPResponse, path: Path, url: str) -> None:
    expected = response.headers.get("Content-Length")
    size = path.stat().st_size
    if expected is not None and size != int(expected):
        raise WeightsRejected(
            Path(PurePosixPath(url).name), f"{url} was cut off: {size} of {expected} bytes came"
        )


def _open_url(url: str, timeout_seconds: float) -> http.client.HTTPResponse:
    """The answer of `url`, or a TimeoutError after `timeout_seconds` whatever hangs.

    A socket's timeout does not bound the name look-up, which takes longest where there is no
    network; hence the thread.
    """
    answers: queue.Queue[http.client.HTTPResponse | Exception] = queue.Queue()

    def ask() -> None:
        try:
            # Not urlopen, which keeps the proxies of its first call.
            answers.put(urllib.request.build_opener().open(url, timeout=timeout_seconds))
        except urllib.error.HTTPError as error:
            error.close()
            answers.put(error)
        except Exception as error:  # handed over to the caller, who raises it
            answers.put(error)

    threading.Thread(target=ask, daemon=True).start()
    try:
        answer = answers.get(timeout=timeout_seconds)
    except queue.Empty:
        raise TimeoutError(f"no answer within {timeout_seconds:g} s") from None
    if isinstance(answer, Exception):
        raise answer
    return answer


def _copy(response: http.client.HTTPResponse, file: IO[bytes], label: str) -> None:
    length = response.headers.get("Content-Length")
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    console = Console(stderr=True)
    with Progress(
        *columns, TimeRemainingColumn(), console=console, disable=not console.is_terminal
    ) as progress:
        task = progress.add_task(label, total=int(length) if length else None)
        for chunk in _chunks(response):
            file.write(chunk)
            progress.advance(task, len(chunk))


def _chunks(response: http.client.HTTPResponse) -> Iterable[bytes]:
    while chunk := response.read(CHUNK_BYTES):
        yield chunk


@contextmanager
def _partial_file(target: Path) -> Iterable[IO[bytes]]:
    """A file beside `target`, deleted at the end unless it was renamed."""
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f"{target.name}.", suffix=".part", dir=target.parent)
    try:
        os.close(handle)
        with Path(name).open("wb") as file:
            yield file
    finally:
        with suppress(FileNotFoundError):
            Path(name).unlink()
