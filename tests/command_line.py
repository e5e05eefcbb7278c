"""The command, run inside this process: what every test of a subcommand begins with."""

from __future__ import annotations

from typer.testing import CliRunner

from mfgsolve.command import application


def run(*words: object, code: int = 0):
    """The command inside this process."""
    result = CliRunner().invoke(application.app, [str(word) for word in words], prog_name="mfgsolve")
    assert result.exit_code == code, (result.output, result.exception)
    assert "Traceback" not in result.output
    return result


def refused(*words: object) -> str:
    """The sentence on stderr of a command that ends with exit code 2 and nothing on stdout."""
    result = run(*words, code=2)
    assert result.stdout == ""
    return result.stderr
