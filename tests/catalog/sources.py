"""Folders to import from, drawn for a test."""

from pathlib import Path

from tests.factories import photo_bytes

DRESS = "WOMEN-Dresses-id_00000012-01_4_full.jpg"


def draw(path: Path, shade: int = 0, size: tuple[int, int] = (12, 16)) -> Path:
    """A photo of one colour at a path, in the format that its suffix says."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image_format = {".png": "PNG", ".webp": "WEBP"}.get(path.suffix.lower(), "JPEG")
    color = (shade * 8 % 256, 120, shade // 32 * 40)  # far enough apart to survive JPEG
    path.write_bytes(photo_bytes(color, size, image_format))
    return path


def write_manifest(folder: Path, *lines: str) -> Path:
    """A manifest.csv of these lines, and a photo at every `images/*.jpg` that they name."""
    folder.mkdir(parents=True, exist_ok=True)
    names = [cell for line in lines for cell in line.split(",") if cell.startswith("images/")]
    for shade, name in enumerate(dict.fromkeys(names)):
        draw(folder / name, shade)
    manifest = folder / "manifest.csv"
    manifest.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return manifest
