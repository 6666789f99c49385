"""Evaluations asked for in the admin, watched, read and compared."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from fashrec_site.evaluations.models import LOST_AFTER, EvaluationJob
from fashrec_site.evaluations.services import (
    AlreadyAskedError,
    ask_for_evaluation,
    give_up_lost,
    run_evaluation,
)
from fashrec_site.workplace.reports.comparison import compare_runs, settings_of
from recommender.evaluation import services as evaluation
from recommender.models import EvaluationRun
from tests.fashrec_site.workplace.world import staff
from tests.recommender.evaluation.shops import hand_placed_shop

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("own_home")]
LIST = "/admin/recommender/evaluationrun/"


def ask(k: int = 2) -> EvaluationJob:
    by, _ = User.objects.get_or_create(username="anna")
    return ask_for_evaluation(by=by, k=k, now=timezone.now())


def run_with(value: float, interval: tuple[float, float], **settings) -> EvaluationRun:
    row = {"backbone": "hand", "popularity_mae": value, "popularity_mae_interval": list(interval)}
    results = {"tables": {"backbones": [row]}}
    return EvaluationRun.objects.create(settings=settings, results=results)


def test_a_job_is_asked_for_run_and_read(admin_client):
    hand_placed_shop()
    assert admin_client.post(f"{LIST}start/", {"k": "2"}).status_code == 302
    job = EvaluationJob.objects.get()
    assert (job.state, job.k, job.asked_by.username) == ("waiting", 2, "admin")
    assert 'hx-trigger="every 1s"' in admin_client.get(f"{LIST}progress/").content.decode()
    run_evaluation(job_id=job.pk)
    job.refresh_from_db()
    assert (job.state, job.stage, job.n_done, job.n_steps) == ("ready", "Drawing pictures", 1, 1)
    done = admin_client.get(f"{LIST}progress/").content.decode()
    assert "The evaluation is done" in done
    assert "hx-trigger" not in done
    page = admin_client.get(f"{LIST}{job.run.pk}/change/").content.decode()
    assert "The last purchase, held out" in page
    picture = admin_client.get(f"{LIST}{job.run.pk}/file/table_1_backbones.png")
    assert picture["Content-Type"] == "image/png"
    assert b"".join(picture.streaming_content).startswith(b"\x89PNG")
    for name in ("report.md", "evaluation.json", "table_9.png"):
        assert admin_client.get(f"{LIST}{job.run.pk}/file/{name}").status_code == 404


def test_one_at_a_time():
    ask()
    with pytest.raises(AlreadyAskedError, match="waiting or running already"):
        ask()


def test_an_evaluation_of_nothing_fails_with_its_reason(admin_client):
    job = ask()
    run_evaluation(job_id=job.pk)
    job.refresh_from_db()
    assert job.state == "failed"
    assert job.error in admin_client.get(LIST).content.decode()
    assert ask().state == "waiting"  # the next one may come


def test_a_job_that_runs_is_not_run_twice_and_a_lost_one_is_given_up(monkeypatch):
    job = ask()
    runs = []
    monkeypatch.setattr(evaluation, "evaluate", lambda **options: runs.append(options))
    rows = EvaluationJob.objects.filter(pk=job.pk)
    rows.update(state="running", alive_at=timezone.now())
    run_evaluation(job_id=job.pk)
    assert runs == []
    long_ago = timezone.now() - LOST_AFTER - timedelta(seconds=1)
    rows.update(alive_at=long_ago, attempts=2)
    run_evaluation(job_id=job.pk)
    assert [options["k"] for options in runs] == [2]
    rows.update(state="running", alive_at=long_ago)
    run_evaluation(job_id=job.pk)  # the fourth time
    assert len(runs) == 1
    assert give_up_lost(now=timezone.now()) == 1
    job.refresh_from_db()
    assert (job.state, job.error) == ("failed", "worker lost")


@pytest.mark.parametrize("k", ["0", "101", "x", "", "9" * 5000])
def test_a_k_that_cannot_rank_is_refused(admin_client, k):
    answer = admin_client.post(f"{LIST}start/", {"k": k}, follow=True)
    assert "K must be from 1 to 100" in answer.content.decode()
    assert not EvaluationJob.objects.exists()


def test_an_analyst_reads_and_starts_nothing(client):
    client.force_login(staff("viewer", groups=("analyst",)))
    assert client.post(f"{LIST}start/", {"k": "2"}).status_code == 403
    page = client.get(LIST)
    assert (page.status_code, b"Start an evaluation" in page.content) == (200, False)


def test_a_difference_is_a_verdict_only_where_the_intervals_lie_apart():
    a = run_with(20.0, (18, 22))
    verdicts = []
    for value, interval in ((10.0, (8, 12)), (30.0, (28, 32)), (21.0, (19, 23))):
        (section,) = compare_runs(a, run_with(value, interval))
        ((name, (cell,)),) = section.rows
        verdicts.append((name, cell.difference, cell.verdict))
    assert verdicts == [("hand", -10, "better"), ("hand", 10, "worse"), ("hand", 1, "")]


def test_both_runs_share_a_scale():
    (section,) = compare_runs(run_with(20.0, (10, 30)), run_with(40.0, (30, 50)))
    (_, (cell,)) = section.rows[0]
    # From 10 - 2 to 50 + 2: 44 wide.
    assert float(cell.a_mark.start) == pytest.approx(100 * 2 / 44, abs=0.01)
    assert float(cell.b_mark.place) == pytest.approx(100 * 32 / 44, abs=0.01)
    assert float(cell.b_mark.width) == pytest.approx(100 * 20 / 44, abs=0.01)


def test_settings_that_differ_are_marked(admin_client):
    a, b = run_with(1, (0, 2), k=5, weights={"visual": 0.7}), run_with(2, (1, 3), k=3, weights={})
    assert settings_of(a, b) == [("k", 5, 3), ("weights: visual", 0.7, None)]
    page = admin_client.get(f"{LIST}compare/", {"a": a.pk, "b": b.pk}).content.decode()
    assert page.count('<tr class="differs">') == 2
    assert "not of the same lists" in page
    assert admin_client.get(f"{LIST}compare/", {"a": a.pk, "b": "x"}).status_code == 400
    assert admin_client.get(f"{LIST}compare/", {"a": a.pk, "b": 10**9}).status_code == 404


def test_exactly_two_are_compared(admin_client):
    runs = [run_with(n, (0, 9)) for n in range(3)]
    data = {"action": "compare", "index": "0"}
    keys = [run.pk for run in runs]
    answer = admin_client.post(LIST, data | {"_selected_action": keys}, follow=True)
    assert "Choose exactly two" in answer.content.decode()
    answer = admin_client.post(LIST, data | {"_selected_action": keys[:2]})
    assert answer.url == f"{LIST}compare/?a={keys[0]}&b={keys[1]}"


def test_the_list_costs_the_same_queries_whatever_its_length(admin_client):
    n_queries = []
    for n in (1, 10):
        [run_with(i, (0, 9)) for i in range(n)]
        with CaptureQueriesContext(connection) as queries:
            assert admin_client.get(LIST).status_code == 200
        n_queries.append(len(queries))
    assert n_queries[0] == n_queries[1] <= 12
