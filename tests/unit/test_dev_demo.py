"""When the demonstration opens a browser, and when it delays jobs."""

from itertools import count
from threading import Event
from urllib.error import URLError

import pytest

from dev import traffic
from dev.demo import may_open
from dev.terminal import SetupError
from dev.traffic import MOST_REFUSALS, MOST_ROUNDS, ROUND_SECONDS, Traffic, in_background


@pytest.mark.parametrize(
    "is_terminal, platform, environ, opens",
    [
        (True, "linux", {"DISPLAY": ":0"}, True),
        (True, "linux", {"WAYLAND_DISPLAY": "wayland-0"}, True),
        (True, "darwin", {}, True),
        (True, "linux", {}, False),
        (True, "linux", {"DISPLAY": ""}, False),
        (False, "linux", {"DISPLAY": ":0"}, False),
        (True, "darwin", {"SSH_CONNECTION": "from here to there"}, False),
    ],
)
def test_a_browser_opens_where_somebody_sees_it(is_terminal, platform, environ, opens):
    assert may_open(is_terminal, platform, environ) is opens


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def test_rounds_have_numbers_and_a_time(clock):
    played = []
    load = Traffic(played.append, clock)
    for _look in range(3):
        load.go_on()
    assert played == [0]
    assert load.seconds_left() == ROUND_SECONDS
    clock.now += ROUND_SECONDS
    load.go_on()
    assert played == [0, 1]


def test_rounds_that_were_missed_are_left_out(clock):
    played = []
    load = Traffic(played.append, clock)
    load.go_on()
    clock.now += 10 * ROUND_SECONDS
    load.go_on()
    load.go_on()
    assert played == [0, 1]


def test_there_are_only_so_many_rounds(clock):
    played = count()
    load = Traffic(lambda _number: next(played), clock)
    for _round in range(MOST_ROUNDS + 10):
        load.go_on()
        clock.now += ROUND_SECONDS
    assert load.is_over
    assert next(played) == MOST_ROUNDS


def refuse(_number):
    raise URLError("busy")


def test_a_server_may_be_busy_for_a_while(clock):
    load = Traffic(refuse, clock)
    for _round in range(MOST_REFUSALS - 1):
        load.go_on()
        clock.now += ROUND_SECONDS
    with pytest.raises(SetupError, match="busy"):
        load.go_on()


def test_an_error_of_the_load_is_told_at_once(clock):
    def fail(_number):
        raise traffic.RpcError("a traceback")

    with pytest.raises(SetupError, match="a traceback"):
        Traffic(fail, clock).go_on()


def test_the_load_goes_on_in_the_background(clock):
    played = Event()
    with in_background(Traffic(lambda _number: played.set(), clock)):
        assert played.wait(10)


def test_a_load_that_failed_in_the_background_is_told():
    failed = Event()

    def fail(_number):
        failed.set()
        raise traffic.RpcError("a traceback")

    with pytest.raises(SetupError, match="a traceback"), in_background(Traffic(fail)):
        assert failed.wait(10)
