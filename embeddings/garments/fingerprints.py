"""What found masks depend on, as short texts that are cheap to compare."""

import hashlib
import json
from functools import lru_cache
from pathlib import Path

from embeddings.garments.finding import PARSER, SEGFORMER, VERSION, FinderSettings


@lru_cache(maxsize=32)
def finders_fingerprint(settings: FinderSettings) -> str:
    """Changes with the methods, their order, their code's version and their networks' weights.

    Cost: reads the networks' files once per process.
    """
    networks = []
    if PARSER in settings.methods:
        networks.append(_described_sha256(settings.parser))
    if SEGFORMER in settings.methods:
        networks.append(_source_identity(settings.segformer))
    content = json.dumps([VERSION, settings.methods, networks])
    return hashlib.sha256(content.encode()).hexdigest()


def _described_sha256(weights: Path) -> str:
    """The hash that the JSON beside our weights tells; loading them checks it."""
    described = weights.with_suffix(".json")
    if not described.is_file():
        return "absent"
    return json.loads(described.read_text(encoding="utf-8"))["sha256"]


def _source_identity(source: str) -> str:
    """A folder's content; for a name the name itself, which `name@revision` pins."""
    folder = Path(source)
    if not folder.is_dir():
        return source
    digest = hashlib.sha256()
    for file in sorted(folder.iterdir()):
        if file.suffix in (".json", ".safetensors", ".bin"):
            digest.update(file.name.encode())
            with file.open("rb") as content:
                digest.update(hashlib.file_digest(content, "sha256").digest())
    return digest.hexdigest()
