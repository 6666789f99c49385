"""gunicorn's hooks, run as gunicorn does."""

from tests.fashrec_site.embedded_home import run_python, temporary_home

START_A_PROCESS = """
import gc, runpy, sys
import fashrec_site.wsgi
runpy.run_path("gunicorn.conf.py")["post_worker_init"](None)
print("fashrec_site.schema" in sys.modules, gc.get_freeze_count() > 100_000)
"""


def test_a_web_process_loads_the_schema_and_spares_it_from_garbage_collection():
    with temporary_home() as home:
        done = run_python("-c", START_A_PROCESS, FASHREC_HOME=str(home))

    assert (done.stdout.split(), done.returncode) == (["True", "True"], 0), done.stderr
