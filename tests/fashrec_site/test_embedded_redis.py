"""The embedded Redis, with real processes: started, found again, killed, stalled and obstructed."""

import os
import signal
from pathlib import Path

import pytest
import redis

from fashrec_site.embedded import redis as embedded_redis
from fashrec_site.embedded.service_account import EmbeddedServerError
from tests.fashrec_site.embedded_home import kill, manage, redis_servers, starter, temporary_home


@pytest.fixture
def home():
    with temporary_home() as place:
        yield place


def client(home: Path) -> redis.Redis:
    embedded_redis.ensure_running(home)
    return redis.Redis(unix_socket_path=str(home / "servers/run/redis.sock"))


def test_three_starters_at_the_same_moment_make_one_unprivileged_server_that_outlives_them(home):
    starters = [starter("redis", home) for _ in range(3)]
    outcomes = [process.communicate(timeout=60) for process in starters]

    url = f"redis+socket://{home}/servers/run/redis.sock?virtual_host=0\n"
    assert {out for out, _ in outcomes} == {url}, outcomes
    [server] = redis_servers(home)
    assert server.uids().real != 0
    with client(home) as connection:
        assert connection.config_get("appendonly") == {"appendonly": "yes"}
        assert connection.info("server")["process_id"] == server.pid
        assert connection.info("server")["tcp_port"] == 0


def test_a_queue_survives_a_stop_and_a_kill_of_the_server(home):
    with client(home) as connection:
        connection.rpush("celery", "first")
    assert manage(home, "stop_servers").stdout == f"Stopped: Redis of {home}.\n"
    assert redis_servers(home) == []

    with client(home) as connection:
        connection.rpush("celery", "second")
    [server] = redis_servers(home)
    kill(server)

    with client(home) as connection:
        assert connection.lrange("celery", 0, -1) == [b"first", b"second"]


def test_a_stalled_server_is_told_plainly_and_never_doubled(home):
    embedded_redis.ensure_running(home)
    [server] = redis_servers(home)
    os.kill(server.pid, signal.SIGSTOP)
    try:
        with pytest.raises(EmbeddedServerError) as refusal:
            embedded_redis.ensure_running(home, timeout_seconds=0.1)
        assert redis_servers(home) == [server]
    finally:
        os.kill(server.pid, signal.SIGCONT)

    assert str(refusal.value) == (
        f"The embedded Redis runs but has not answered for 0.1 s; see {home}/servers/redis.log."
    )
    with client(home) as connection:
        assert connection.ping()


def test_a_server_whose_socket_was_deleted_is_never_doubled(home):
    embedded_redis.ensure_running(home)
    [server] = redis_servers(home)
    (home / "servers/run/redis.sock").unlink()

    with pytest.raises(EmbeddedServerError, match="has not answered"):
        embedded_redis.ensure_running(home, timeout_seconds=0.1)

    assert redis_servers(home) == [server]
    kill(server)


def test_damaged_data_is_one_line_with_the_servers_own_reason(home):
    embedded_redis.ensure_running(home)
    embedded_redis.stop(home)
    (home / "servers/redis/appendonly.aof").write_text("no commands at all")

    with pytest.raises(EmbeddedServerError, match="Bad file format reading the append only file"):
        embedded_redis.ensure_running(home)

    assert redis_servers(home) == []
