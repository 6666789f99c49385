import pytest

from fashrec_site.embedded.server_options import DEFAULTS, server_options
from fashrec_site.embedded.service_account import EmbeddedServerError


@pytest.fixture
def given(monkeypatch):
    return lambda words: monkeypatch.setenv("FASHREC_POSTGRES_OPTIONS", words)


def test_given_settings_replace_the_shipped_ones_and_add_others(given):
    given("shared_buffers=2GB hnsw.ef_search=80 log_line_prefix='%m %p'")
    options = server_options()
    assert options["shared_buffers"] == "2GB"
    assert options["hnsw.ef_search"] == "80"
    assert options["log_line_prefix"] == "%m %p"
    assert options["maintenance_work_mem"] == DEFAULTS["maintenance_work_mem"]


@pytest.mark.parametrize("word", ["shared_buffers", "=2GB", "Shared-Buffers=2GB", "-c=fsync"])
def test_what_is_no_setting_is_refused(given, word):
    given(word)
    with pytest.raises(EmbeddedServerError) as refused:
        server_options()
    assert str(refused.value) == (
        f"FASHREC_POSTGRES_OPTIONS holds {word!r}; expected words like shared_buffers=2GB."
    )


def test_durability_cannot_be_switched_off(given):
    given("fsync=off")
    with pytest.raises(EmbeddedServerError, match="sets fsync, which the embedded"):
        server_options()
