"""The benchmark of distances to the continuum: densities on different meshes, sections by name, targets beside."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

FOLDER = Path(__file__).parent.parent / "benchmarks"


@pytest.fixture
def continuum(monkeypatch):
    monkeypatch.syspath_prepend(str(FOLDER))
    spec = importlib.util.spec_from_file_location("continuum", FOLDER / "continuum.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def bump(n, steps, height=0.0):
    """A density that moves, with an error that falls with the square of the steps."""
    x = (np.arange(n) + 0.5) / n
    t = np.linspace(0, 1, steps + 1)[:, None, None]
    return np.exp(-((x[:, None] - 0.5) ** 2 + (x - 0.3 - 0.3 * t) ** 2) / 0.05) + height / steps**2


def test_densities_are_compared_at_the_places_and_times_that_both_have(continuum):
    coarse, fine = continuum.Levels(bump(12, 4)), continuum.Levels(bump(18, 6))
    largest, mean = coarse.distance(fine)
    assert 0 < mean <= largest < 1e-3
    off = continuum.Levels(bump(12, 4) + 0.25)
    assert off.distance(coarse) == pytest.approx((0.25, 0.25))


def test_extrapolation_takes_an_error_of_second_order_away(continuum):
    coarse, fine = (continuum.Levels(bump(n, steps, 3.0)) for n, steps in ((12, 4), (18, 8)))
    exact = continuum.Levels(bump(18, 4))
    found = continuum.extrapolated(coarse, fine)
    assert found.density.shape == (5, 18, 18)
    assert found.distance(exact)[0] < 1e-3 < fine.distance(exact)[0]


def test_a_target_that_is_missed_is_marked(continuum):
    assert continuum.told(1e-4, 2e-4) == "1.0e-04 <= 2.0e-04"
    assert continuum.told(3e-4, 2e-4).endswith("!")


def test_a_section_runs_by_its_name(continuum, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["continuum.py", "orders", "--quick"])
    continuum.main()
    said = capsys.readouterr().out
    assert said.count("gaussian-log") == 2
    assert "2.00" in said
    monkeypatch.setattr("sys.argv", ["continuum.py", "order"])
    with pytest.raises(SystemExit):
        continuum.main()
    assert "no section order" in capsys.readouterr().err
    assert all(name in continuum.__doc__ for name in continuum.SECTIONS)
