"""The command as a whole: help, the list of problems, pipes that go away, disks that are full."""

from __future__ import annotations

import json
import re
import subprocess
import sys

from command_line import refused, run
from commands import COMMAND, ENVIRONMENT, FLAGSHIP, KEYS

import mfgsolve as mfg


def process(*words: object, **options) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own."""
    command = [*COMMAND, *(str(word) for word in words)]
    return subprocess.run(command, capture_output=True, text=True, env=ENVIRONMENT, check=False, **options)


# -- what it says ------------------------------------------------------------------------------------------------------


def test_help_has_an_example_for_every_command() -> None:
    assert set(re.findall(r"^. (\w+) ", run("--help").stdout, re.M)) >= {"list", "solve", "resume", "show", "plot"}
    for name in ("list", "solve", "resume", "show", "plot", "animate", "convergence", "compare", "refine"):
        assert f"Example:  mfgsolve {name} " in run(name, "--help").stdout


def test_version() -> None:
    assert run("--version").stdout == f"mfgsolve {mfg.__version__}\n"


def test_help_loads_nothing_heavy() -> None:
    script = (
        "import sys, mfgsolve.command.application as _; "
        "print(sorted({'numpy', 'numba', 'xarray', 'scipy', 'matplotlib'} & {*sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=ENVIRONMENT, check=True)
    assert done.stdout == "[]\n"


def test_list_has_one_line_a_problem_with_its_source() -> None:
    lines = run("list").stdout.splitlines()
    assert [line.split()[0] for line in lines] == mfg.problems.names()
    for line in lines:
        entry = mfg.problems.get(line.split()[0])
        assert entry.summary in line
        assert entry.source in line


def test_list_of_one_problem_tells_its_parameters() -> None:
    text = run("list", "supply-demand").stdout
    assert re.search(r"--set reward +2\.0", text)
    assert re.search(r"--shape +64x64", text)
    assert "did you mean 'montreal'" in refused("list", "montrael")


# -- streams -----------------------------------------------------------------------------------------------------------


def test_nothing_but_the_result_where_there_is_no_terminal() -> None:
    done = process(*FLAGSHIP, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    assert list(json.loads(done.stdout))[: len(KEYS)] == KEYS
    assert process("--version").stdout == f"mfgsolve {mfg.__version__}\n"


def test_a_reader_that_goes_away_is_no_error() -> None:
    with subprocess.Popen([*COMMAND, "list"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENVIRONMENT) as child:
        child.stdout.close()
        assert child.stderr.read() == b""
    assert child.returncode == 0


def test_stdout_on_a_full_disk() -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [*COMMAND, "list"], stdout=full, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT, check=False
        )
    assert (done.returncode, done.stderr) == (2, "Error: standard output cannot be written: No space left on device\n")


def test_an_error_as_json_on_a_full_disk_is_told_with_the_disk() -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [*COMMAND, "solve", "supply-demnd", "--json"], stdout=full, stderr=subprocess.PIPE, text=True,
            env=ENVIRONMENT, check=False,
        )  # fmt: skip
    assert done.returncode == 2
    assert "did you mean 'supply-demand'" in done.stderr
    assert "No space left" in done.stderr
    assert "Traceback" not in done.stderr
