"""Search by photo under load: how soon two at a time are answered, and what a flood does to reads.

Reads are measured alone, beside the flood, and beside as many other reads as the flood has uploads,
in turn, so that what else the machine does falls on all. The last is what any requests would cost.
The flood goes to the web server of the reads, and to a nice one of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from random import Random
from typing import Any

from PIL import Image

from benchmarks.database import server_facts
from benchmarks.datasets.photo_catalogue import DEFAULT_PHOTOS
from benchmarks.http_load.generator import Answer, Request, Spec
from benchmarks.http_load.processes import generate, photo_worker, web_server
from benchmarks.http_load.reads import draw_reads
from benchmarks.http_load.run import N_DRAWN
from benchmarks.http_load.shop import ensure_shop, new_key
from benchmarks.http_load.summary import percentiles_ms, summary
from benchmarks.stages import Stages

N_PHOTOS = 8
AT_ONCE = 2
JPEG_QUALITY = 90
PAUSE_SECONDS = 0.1  # of a flooding client that was refused; it was told to wait for two
P95_BAR_MS = 1500.0
BOUNDARY = "benchmark-boundary"


@dataclass(frozen=True)
class Plan:
    """What the command line asks for."""

    n_products: int
    photos: Path | None
    width_px: int
    seconds: float  # of each part
    n_rounds: int
    rate: float  # of reads, a second
    n_flooding: int  # clients
    seed: int


def run(plan: Plan, folder: Path, stages: Stages) -> dict[str, Any]:
    """Fill, start, search, flood; bodies of requests lie in `folder`. Returns the named figures."""
    shop, key = ensure_shop(plan.n_products, plan.seed, stages), new_key()
    searches = _searches(plan.photos or DEFAULT_PHOTOS, plan.width_px, key, folder)
    reads = draw_reads(N_DRAWN, plan.n_products, shop["n_shoppers"], key, Random(plan.seed))
    own_web = web_server(WEB_CONCURRENCY="1", FASHREC_NICENESS="5")
    with web_server() as server, own_web as photos, photo_worker():
        calm = Spec(server.port, reads, plan.seconds, n_clients=16, rate=plan.rate)
        pair = Spec(server.port, searches, plan.seconds, AT_ONCE, pause_seconds=PAUSE_SECONDS)
        many = replace(pair, n_clients=plan.n_flooding)
        apart = replace(many, port=photos.port)
        with stages.stage("Warming up"):
            generate(pair, calm)
            generate(replace(apart, n_clients=AT_ONCE))
        with stages.stage("Two at a time"):
            (two,) = generate(pair)
        figures = _two(two, plan.seconds) | _beside(calm, many, apart, plan, stages)
    n_bytes = sum(Path(search.body_file).stat().st_size for search in searches)
    return {
        "data": f"{plan.n_products} synthetic products; {len(searches)} photos, enlarged",
        "settings": {
            **shop,
            **{name: str(value) for name, value in vars(plan).items()},
            "bytes_per_photo": n_bytes // len(searches),
        },
        "server": server_facts(),
        **figures,
    }


def _two(answers: list[Answer], seconds: float) -> dict[str, Any]:
    accepted = [answer for answer in answers if answer.status == 200]
    measured = percentiles_ms(accepted)
    return {
        "two_at_a_time": summary(answers, seconds) | {"accepted": measured},
        "bars": {
            f"p95_ms <= {P95_BAR_MS:g} at two at a time": bool(accepted)
            and measured["p95_ms"] <= P95_BAR_MS
        },
    }


def _beside(calm: Spec, many: Spec, apart: Spec, plan: Plan, stages: Stages) -> dict[str, Any]:
    """Reads alone, beside the flood, beside as many reads, and beside a flood of another server."""
    alone, flooded, crowded, beside_own, flood, own_flood = [], [], [], [], [], []
    with stages.stage("Reads alone and beside others", plan.n_rounds) as advance:
        for done in range(plan.n_rounds):
            advance(done)
            alone += generate(calm)[0]
            disturbed, photos = generate(calm, many)
            flooded, flood = flooded + disturbed, flood + photos
            as_many = replace(calm, requests=calm.requests[::-1], rate=len(photos) / plan.seconds)
            crowded += generate(calm, as_many)[0]
            undisturbed, photos = generate(calm, apart)
            beside_own, own_flood = beside_own + undisturbed, own_flood + photos
    seconds = plan.n_rounds * plan.seconds
    measured = {
        "reads_alone": summary(alone, seconds),
        "reads_beside_flood": summary(flooded, seconds),
        "reads_beside_as_many_reads": summary(crowded, seconds),
        "reads_beside_flood_of_own_web": summary(beside_own, seconds),
        "flood": summary(flood, seconds),
        "flood_of_own_web": summary(own_flood, seconds),
    }
    p95 = {name: figures["p95_ms"] for name, figures in measured.items()}
    return {
        **measured,
        "ratio_of_reads_p95": round(p95["reads_beside_flood"] / p95["reads_alone"], 2),
        "ratio_of_reads_p95_to_as_many_reads": round(
            p95["reads_beside_flood"] / p95["reads_beside_as_many_reads"], 2
        ),
        "ratio_of_reads_p95_with_own_web": round(
            p95["reads_beside_flood_of_own_web"] / p95["reads_alone"], 2
        ),
    }


def _searches(photos: Path, width_px: int, key: str, folder: Path) -> list[Request]:
    """Requests with photos as large as a phone's, whose bodies lie in `folder`."""
    files = sorted(p for p in photos.rglob("*") if p.suffix.lower() in (".jpg", ".jpeg", ".png"))
    if not files:
        raise SystemExit(f"no photos in {photos}; name a folder of them with --photos")
    headers = {
        "Authorization": f"Bearer {key}",
        "Content-Type": f"multipart/form-data; boundary={BOUNDARY}",
    }
    requests = []
    for number, file in enumerate(_spread(files)):
        body = folder / f"search{number}.form"
        body.write_bytes(_form(_enlarged(file, width_px)))
        requests.append(Request("photo", "/search/photo", body_file=str(body), headers=headers))
    return requests


def _spread(files: Sequence[Path]) -> Sequence[Path]:
    return files[:: max(1, len(files) // N_PHOTOS)][:N_PHOTOS]


def _enlarged(file: Path, width_px: int) -> bytes:
    encoded = BytesIO()
    with Image.open(file) as image:
        size = (width_px, round(image.height * width_px / image.width))
        photo = image.convert("RGB").resize(size, Image.Resampling.BICUBIC)
    photo.save(encoded, "JPEG", quality=JPEG_QUALITY)
    return encoded.getvalue()


def _form(photo: bytes) -> bytes:
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="photo"; filename="p.jpg"\r\n'
    head += "Content-Type: image/jpeg\r\n\r\n"
    return head.encode() + photo + f"\r\n--{BOUNDARY}--\r\n".encode()
