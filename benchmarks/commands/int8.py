"""Int8: what OpenVINO in eight bits does to a backbone's vectors, and what it gains.

The network is quantised after training on some of the photos (NNCF, with bias correction, its first
layers left as they are), as the runtime openvino-int8 does it, and judged on others by the check
that every runtime must pass (embeddings/nets/fidelity.py), beside bf16. Nothing is kept.

Example:
  python -m benchmarks int8 --backbone mobilenet_v2 --photos DIR
"""

import argparse
from pathlib import Path
from typing import Any


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which network, which photos."""
    parser.add_argument("--backbone", default="mobilenet_v2", metavar="NAME")
    parser.add_argument("--photos", required=True, type=Path, metavar="DIR")
    parser.add_argument("--calibrate", type=int, default=300, metavar="N", help="photos")
    parser.add_argument("--check", type=int, default=256, metavar="N", help="other photos")
    parser.add_argument("--weights", type=Path, help="FASHREC_WEIGHTS_DIR of this run")
    parser.add_argument("--seed", type=int, default=42)


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Quantise, compare; SystemExit where NNCF is not installed."""
    from benchmarks import int8
    from benchmarks.http_load.shop import use_weights

    use_weights(options.weights)
    return int8.run(
        options.backbone,
        options.photos,
        n_calibrate=options.calibrate,
        n_check=options.check,
        seed=options.seed,
    )
