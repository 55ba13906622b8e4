"""The harness itself: a test tool that is wrong would prove nothing about the server."""

import pytest

from harness.keys import partition
from harness.process import is_running
from harness.proxy import is_dispatch_script, is_lock
from harness.resp import RedisClient, encode, parse
from harness.runner import Presence, Stay, check_stays
from harness.waiting import wait_for


def test_partition_is_crc16_xmodem_modulo_16():
    assert partition("123456789") == "usher:{p3}"  # This CRC's well-known check value is 0x31c3.


def test_parse_waits_for_whole_messages():
    message = b"*3\r\n$3\r\nSET\r\n:12\r\n*1\r\n$-1\r\n"
    assert all(parse(message[:length]) is None for length in range(len(message)))
    assert parse(message + b"more")[1] == len(message)


def test_wait_for_says_what_did_not_happen():
    with pytest.raises(AssertionError, match="the thing did not happen within 0.01 s"):
        wait_for(lambda: False, "the thing", deadline_s=0.01)


def test_redis_keeps_its_data_over_a_kill(servers):
    server = servers.redis(durable=True)
    server.client.call("SET", "a", "1")
    server.kill()
    server.start()
    assert server.client.call("GET", "a") == "1"


def test_pause_and_end(servers):
    server = servers.redis()
    server.pause()
    pid = server.pid
    server.end()
    assert not is_running(pid)


def test_matchers_know_the_commands_by_their_keys():
    lock = b"usher:{p0}:ws:w:lock"
    assert is_lock([b"SET", lock, b"token", b"NX", b"PX", b"5000"])
    assert not is_lock([b"SET", b"usher:{p0}:ws:w", b"x"])
    assert is_dispatch_script([b"EVALSHA", b"sha", b"2", lock, b"usher:{p0}:dispatch"])
    assert not is_dispatch_script([b"EVALSHA", b"sha", b"1", lock])


class TestProxy:
    @pytest.fixture
    def server(self, servers):
        return servers.redis()

    @pytest.fixture
    def proxy(self, servers, server):
        return servers.proxy(server)

    @pytest.fixture
    def through(self, proxy):
        client = RedisClient(proxy.socket_path, timeout_s=30.0)
        yield client
        client.close()

    def test_passes_everything_on(self, through):
        assert through.pipeline([("SET", "a", "x" * 200000), ("STRLEN", "a"), ("GET", "b")]) == ["OK", 200000, None]

    def test_holds_at_a_command(self, server, proxy, through):
        held = proxy.hold(lambda command: command[0] == b"INCR")
        through._socket.sendall(encode("SET", "a", 1) + encode("INCR", "a") + encode("GET", "a"))
        held.wait_until_struck("INCR")
        assert through._read() == "OK"
        assert server.client.call("GET", "a") == "1"
        held.release()
        assert [through._read(), through._read()] == [2, "2"]

    def test_loses_the_answer_of_a_command_that_ran(self, server, proxy, through):
        lost = proxy.lose_answer(lambda command: command[0] == b"INCR")
        through._socket.sendall(encode("SET", "a", 1) + encode("INCR", "a"))
        assert through._read() == "OK"
        with pytest.raises(ConnectionError):
            through._read()
        assert lost.has_struck
        assert server.client.call("GET", "a") == "2"

    def test_loses_a_command(self, server, proxy, through):
        proxy.lose_command(lambda command: command[0] == b"INCR")
        with pytest.raises(ConnectionError):
            through.call("INCR", "a")
        assert server.client.call("GET", "a") is None

    def test_cuts_refuses_and_mends(self, proxy, through):
        proxy.cut(refuse=True)
        with pytest.raises(ConnectionError):
            through.call("PING")
        with pytest.raises(ConnectionError):
            RedisClient(proxy.socket_path).call("PING")
        proxy.mend()
        assert RedisClient(proxy.socket_path).call("PING") == "PONG"

    def test_half_open_passes_nothing(self, server, proxy, through):
        assert through.call("PING") == "PONG"
        proxy.half_open()
        through._socket.sendall(encode("SET", "a", 1))
        through._socket.settimeout(0.05)
        with pytest.raises(TimeoutError):
            through._read()
        assert server.client.call("GET", "a") is None
        through._socket.settimeout(30.0)
        proxy.mend()
        assert through._read() == "OK"

    def test_a_dropped_connection_drops_what_is_held(self, server, proxy, through):
        held = proxy.hold(lambda command: command[0] == b"INCR")
        through._socket.sendall(encode("INCR", "a"))
        held.wait_until_struck("INCR")
        proxy.cut()
        held.release()
        with pytest.raises(ConnectionError):
            through._read()
        assert server.client.call("GET", "a") is None


def test_two_stays_at_once_are_found():
    first, second = Stay("a", 1, 100, 200, False, 3), Stay("b", 2, 200, 300, True, 3)
    with pytest.raises(AssertionError, match="b entered the room"):
        check_stays([first, second], "the room")
    check_stays([first, second._replace(first_ns=201)], "the room")


def test_presence_files_are_read(tmp_path):
    presence = Presence(tmp_path)
    (tmp_path / "google_meet:abc-defg-hij.log").write_text("100 a 1\n200 a 1\n250 b 2\n300 a 1\n350 b 2 left\n")
    assert presence.stays("abc-defg-hij") == [Stay("a", 1, 100, 300, False, 3), Stay("b", 2, 250, 350, True, 2)]
    assert presence.stays("zzz-zzzz-zzz") == []
    with pytest.raises(AssertionError, match="before a was gone"):
        presence.check()
