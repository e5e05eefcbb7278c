"""The watch over long work, by a clock in the test's hand: deadlines, what is held back, and signals that ask."""

import math
import signal
import threading

import pytest

from mfgsolve import watch


@pytest.fixture
def hands(monkeypatch):
    """A clock: seconds in a list of one."""
    now = [0.0]
    monkeypatch.setattr(watch, "clock", lambda: now[0])
    return now


def test_a_deadline_acts_once_it_has_passed(hands):
    assert watch.left() == math.inf
    with watch.watching(5.0):
        watch.look()
        assert not watch.over()
        hands[0] = 4.0
        assert watch.left() == 1.0
        hands[0] = 5.0
        assert watch.over()
        assert watch.left() == 0.0
        with pytest.raises(watch.TimeUp):
            watch.look()
    watch.look()
    assert not watch.over()
    assert not issubclass(watch.TimeUp, Exception)  # no handler of errors takes it for one


def test_a_watch_that_does_not_raise_tells_all_the_same(hands):
    hands[0] = 9.0
    with watch.watching(5.0, raises=False):
        watch.look()
        assert watch.over()
        with watch.strictly(), pytest.raises(watch.TimeUp):
            watch.look()
        watch.look()
    with watch.strictly():
        watch.look()


def test_an_inner_watch_is_in_the_place_of_the_outer_one(hands):
    hands[0] = 9.0
    with watch.watching(5.0):
        with watch.watching(None):
            watch.look()
        with pytest.raises(watch.TimeUp):
            watch.look()


def test_what_is_held_back_ends_whole(hands):
    came = []
    before = signal.signal(signal.SIGTERM, lambda *_: came.append("now"))
    try:
        hands[0] = 9.0
        with watch.watching(5.0):
            with watch.held_back():
                with watch.held_back():
                    signal.raise_signal(signal.SIGTERM)
                    watch.look()
                assert came == []
            assert came == ["now"]
            assert watch.over()
    finally:
        signal.signal(signal.SIGTERM, before)


def test_who_was_asked_to_stop_stops_at_the_next_look_in_the_main_thread():
    watch.ask(signal.SIGINT)
    try:
        assert watch.asked() == signal.SIGINT
        with watch.held_back():
            watch.look()
        with pytest.raises(KeyboardInterrupt):
            watch.look()
        raised = []

        def elsewhere():
            try:
                watch.look()
            except KeyboardInterrupt:
                raised.append(True)

        thread = threading.Thread(target=elsewhere)
        thread.start()
        thread.join()
        assert raised == []
    finally:
        watch.forget()
    watch.look()
    assert watch.asked() is None
