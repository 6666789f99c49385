"""Answers of a load, summed up."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from benchmarks.http_load.generator import Answer

PERCENTILES = (50, 95, 99)


def summary(answers: Sequence[Answer], seconds: float) -> dict[str, Any]:
    """Rate, percentiles, and errors by status and code.

    `requests_per_second` counts good answers alone, status 200 without a GraphQL error, over the
    load's time or, where the server fell behind, until the last answer.
    """
    seconds = max([seconds, *(answer.due + answer.seconds for answer in answers)])
    good = [answer for answer in answers if answer.status == 200 and not answer.code]
    statuses = Counter(answer.status for answer in answers)
    return {
        "n_requests": len(answers),
        "requests_per_second": round(len(good) / seconds, 2),
        **percentiles_ms(answers),
        "statuses": {str(status): n for status, n in sorted(statuses.items())},
        "n_server_errors": sum(n for status, n in statuses.items() if status >= 500),
        "error_codes": dict(Counter(answer.code for answer in answers if answer.code)),
    }


def by_kind(answers: Sequence[Answer]) -> dict[str, Any]:
    """Number and percentiles of each kind of request."""
    kinds = sorted({answer.kind for answer in answers})
    groups = {kind: [answer for answer in answers if answer.kind == kind] for kind in kinds}
    return {kind: {"n": len(group), **percentiles_ms(group)} for kind, group in groups.items()}


def percentiles_ms(answers: Sequence[Answer]) -> dict[str, float]:
    """p50, p95, p99 and the maximum in milliseconds, whatever the status; empty without answers."""
    if not answers:
        return {}
    seconds = [answer.seconds for answer in answers]
    values = np.percentile(seconds, PERCENTILES) * 1000
    named = {f"p{p}_ms": round(float(v), 1) for p, v in zip(PERCENTILES, values, strict=True)}
    return named | {"max_ms": round(max(seconds) * 1000, 1)}
