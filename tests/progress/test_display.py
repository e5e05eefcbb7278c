"""Where live lines stand: in a terminal, in a notebook, nowhere; only the outermost, only after a while."""

from __future__ import annotations

import io
import sys
import threading
import time
from collections.abc import Callable
from types import SimpleNamespace

import pytest

from mfgsolve.progress import Counted, counting, display, live
from mfgsolve.progress.logs import is_notebook


class Screen(io.StringIO):
    """A terminal."""

    def isatty(self) -> bool:
        return True


class Handle:
    """What a notebook's display gives back."""

    def __init__(self, shown: list[dict[str, str]]):
        self.shown = shown

    def update(self, bundle: dict[str, str], raw: bool) -> None:
        assert raw
        self.shown[-1] = bundle


def screen_of(monkeypatch: pytest.MonkeyPatch) -> Screen:
    """Stderr as a terminal; a fixture could not put it there, since pytest captures each phase anew."""
    result = Screen()
    monkeypatch.setattr(sys, "stderr", result)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")
    return result


@pytest.fixture
def notebook(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, str]]:
    """Outputs of the cell."""
    outputs: list[dict[str, str]] = []

    def show(bundle: dict[str, str], raw: bool, display_id: bool) -> Handle:
        assert raw
        assert display_id
        outputs.append(bundle)
        return Handle(outputs)

    ipython = SimpleNamespace(get_ipython=lambda: SimpleNamespace(kernel=1), display=SimpleNamespace(display=show))
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    return outputs


def until(seen: Callable[[], bool]) -> None:
    """Wait for what another thread is to show, however busy the machine is."""
    end = time.monotonic() + 60.0
    while not seen():
        assert time.monotonic() < end
        time.sleep(0.01)


def work(line: Counted, seconds: float = 0.3) -> None:
    for number in range(3):
        time.sleep(seconds / 3)
        line.update(number + 1, 3)


def test_a_terminal_shows_the_line_and_clears_it(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = screen_of(monkeypatch)
    __import__("rich.live")  # which takes its time
    monkeypatch.setattr(display._Terminal, "every", 0.02)
    with live(Counted("points"), True) as line:
        line.update(1, 3)
        until(lambda: "1 of 3 points" in screen.getvalue())
    assert "\x1b[2K" in screen.getvalue()[-30:]


@pytest.mark.parametrize("progress", [None, False])
def test_quick_work_and_work_that_is_not_to_be_shown_show_nothing(
    monkeypatch: pytest.MonkeyPatch, progress: bool | None
) -> None:
    screen = screen_of(monkeypatch)
    with live(Counted("points"), progress) as line:
        work(line, 0.06)
    assert screen.getvalue() == ""


def test_nothing_is_shown_where_nobody_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    quiet = io.StringIO()
    monkeypatch.setattr(sys, "stderr", quiet)
    with live(Counted("points"), True) as line:
        work(line, 0.06)
    assert quiet.getvalue() == ""


def test_only_the_outermost_line_of_the_main_thread_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    screen_of(monkeypatch)
    opened: list[str] = []
    before = display._place
    display._place = lambda line, delay: opened.append(line.what)
    try:
        with live(Counted("outer"), True), live(Counted("inner"), True):
            pass
        with live(Counted("later"), True):
            pass
        thread = threading.Thread(target=lambda: live(Counted("thread"), True).__enter__())
        thread.start()
        thread.join()
        with live(Counted("told in lines"), True, verbose=True):
            pass
    finally:
        display._place = before
    assert opened == ["outer", "later"]


def test_a_notebook_has_one_tidy_bar(notebook: list[dict[str, str]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(display._Notebook, "every", 0.02)
    assert is_notebook()
    with live(Counted("points <3>"), True) as line:
        work(line)
        until(lambda: len(notebook) > 0)
    (bundle,) = notebook
    assert bundle["text/plain"].startswith("100%  3 of 3 points <3>  0")
    assert '<progress value="1.000" max="1"' in bundle["text/html"]
    assert "points &lt;3&gt;" in bundle["text/html"]


def test_lines_that_nobody_asked_for_can_be_turned_off(
    notebook: list[dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(display, "DELAY", 0.0)
    monkeypatch.setenv("MFGSOLVE_PROGRESS", "off")
    with live(Counted("points")) as line:
        work(line, 0.06)
    assert notebook == []
    monkeypatch.delenv("MFGSOLVE_PROGRESS")
    with live(Counted("points")) as line:
        work(line, 0.06)
        until(lambda: len(notebook) > 0)
    assert len(notebook) == 1


def test_a_notebook_shows_nothing_of_quick_work(notebook: list[dict[str, str]]) -> None:
    with live(Counted("points")) as line:
        work(line, 0.06)
    assert notebook == []


def test_pieces_are_passed_on_one_by_one() -> None:
    assert list(counting(iter("abc"), 3, "letters")) == ["a", "b", "c"]
