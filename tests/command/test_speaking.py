"""How the command speaks: tables in any width, quietly, without a control code where nobody looks on."""

from __future__ import annotations

import io
import re

import pytest

from mfgsolve.command import speaking

ROWS = [
    ("", "default", "unit", ""),
    ("--set reward", "2.0", "cost / time", "what an agent alone earns in a unit of time at the centre of demand"),
    ("--set width", "0.1", "length", "standard deviation of demand in space"),
]


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("width", [40, 60, 80, 140])
def test_columns_fit_the_screen_and_lose_nothing(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Screen()
    monkeypatch.setattr("sys.stdout", screen)
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", "1")
    speaking.tell_columns(ROWS)
    plain = re.sub(r"\x1b\[[\d;]*m", "", screen.getvalue())
    lines = plain.splitlines()
    assert max(map(len, lines)) <= width
    words = " ".join(plain.split())
    for row in ROWS[1:]:
        for cell in row:
            for word in cell.split():
                assert word in words


def test_a_program_reads_a_line_a_row_without_codes(capsys: pytest.CaptureFixture[str]) -> None:
    speaking.tell_columns(ROWS)
    text = capsys.readouterr().out
    assert "\x1b" not in text
    assert len(text.splitlines()) == len(ROWS)


def test_a_note_is_for_those_who_look_on(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO", logger="mfgsolve"):
        for kind, seen in ((io.StringIO, ""), (Screen, "Note: it takes long\n")):
            stream = kind()
            monkeypatch.setattr("sys.stderr", stream)
            monkeypatch.setenv("NO_COLOR", "1")
            speaking.inform("it takes long")
            assert re.sub(r"\x1b\[[\d;]*m", "", stream.getvalue()) == seen
    assert caplog.messages == ["it takes long"] * 2


def test_quietly_errors_and_json_alone_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    speaking.quieten(True, live=False)
    try:
        speaking.say("a sentence", [("a", "b")])
        speaking.complain("a warning", "Warning")
        speaking.complain("an error")
        speaking.to_json({"a": 1})
        assert not speaking.has_live_line()
    finally:
        speaking.quieten(False)
    said = capsys.readouterr()
    assert said.out == '{"a": 1}\n'
    assert said.err == "Error: an error\n"
    assert speaking.has_live_line()
    assert speaking.json_is_given()
    speaking.begin_json()
    assert not speaking.json_is_given()
