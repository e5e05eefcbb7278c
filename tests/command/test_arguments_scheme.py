"""--scheme, beside what --set and the file say."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from command_line import refused, run
from commands import DECLARED

import mfgsolve as mfg
from mfgsolve.command.arguments import stated_problem
from mfgsolve.errors import InputError

SMALL = ["--shape", "8x8", "--steps", 4]


@pytest.fixture
def hill(tmp_path: Path) -> Path:
    file = tmp_path / "hill.toml"
    file.write_text(DECLARED.replace('scheme = "upwind"\n', ""))
    return file


def test_a_named_problem_and_a_file_take_it(hill: Path):
    for name, shape in (("supply-demand", (8, 8)), (str(hill), None)):
        for scheme in ("entropic", "upwind"):
            problem = stated_problem(name, shape, 4, {}, scheme)
            assert (problem.scheme, problem.dynamics.scheme) == (scheme, scheme)
            assert stated_problem(name, shape, 4, {"dynamics.scheme": scheme}).scheme == scheme
    wide = stated_problem("supply-demand", (8, 8), 4, {"scheme": "entropic", "dynamics.reach": 3, "reward": 1.0})
    assert wide.all_dynamics[0].chain == {"scheme": "entropic", "reach": 3}
    assert wide.parameters["reward"] == 1.0


@pytest.mark.parametrize("scheme", ["entropic", "upwind"])
def test_solve_solves_by_it(scheme: str, tmp_path: Path):
    plan = tmp_path / "plan.nc"
    run("solve", "supply-demand", *SMALL, "--scheme", scheme, "--tol", 1e-3, "-o", plan)
    wanted = mfg.solve(mfg.problems.supply_demand(shape=(8, 8), steps=4, scheme=scheme), tol=1e-3, check="ignore")
    found = mfg.load(plan)
    assert np.array_equal(found.dataset["density"], wanted.dataset["density"])
    assert f'scheme = "{scheme}"' in found.dataset.attrs["problem"]


def test_convergence_takes_it(tmp_path: Path):
    run("convergence", "supply-demand", *SMALL, "--scheme", "upwind", "--solvers", "newton", "--tol", 1e-3,
        "-o", tmp_path / "c.nc")  # fmt: skip
    assert "upwind" in run("show", tmp_path / "c.nc").stdout


def test_what_is_wrong_is_told(hill: Path):
    told = refused("solve", "supply-demand", *SMALL, "--scheme", "upwnd")
    assert "unknown scheme of a diffusion 'upwnd'; did you mean 'upwind'? allowed: entropic, upwind" in told
    assert "unknown scheme of a diffusion 'upwnd'" in refused("solve", hill, "--scheme", "upwnd")
    told = refused("solve", "supply-demand", *SMALL, "--scheme", "upwind", "--set", "scheme=entropic")
    assert "the scheme is given by --scheme and by --set; give it once" in told
    assert "this game is a finite one and has none" in refused("solve", "beach-bar", "--scheme", "upwind")
    assert "this game is a finite one and has none" in refused("learn", "beach-bar", "--scheme", "upwind")
    told = refused("solve", hill, "--scheme", "entropic", "--set", "dynamics.noise=explicit")
    assert "scheme of a diffusion is 'entropic', which does not suit this game: its noise is explicit" in told


def test_a_scheme_that_nothing_takes_is_no_secret(tmp_path: Path):
    """Populations that all have their own dynamics."""
    file = tmp_path / "two.toml"
    lattice = '{kind = "lattice", moves = [-1, 0, 1]}'
    names = "".join(f'[[population]]\nname = "{name}"\ndynamics = {lattice}\n' for name in ("ants", "bees"))
    text = f"[grid]\nshape = [4]\n[time]\nhorizon = 1.0\nsteps = 3\n[initial]\ndensity = 1.0\n{names}"
    file.write_text(text)
    assert stated_problem(str(file), None, None, {}).scheme == ""
    with pytest.raises(InputError, match="has none, because its games are finite ones: leave the scheme out"):
        stated_problem(str(file), None, None, {}, "upwind")
