"""Curves beside each other are told apart in grey and by people who see two kinds of cones."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from colour_vision import VISIONS, lightness, seen_by
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from pictured import solved

from mfgsolve import plots
from mfgsolve.plots.series import series, shades
from mfgsolve.plots.style import Style, applied

APART = 0.2  # of the diagonal of the cube of colours: less is taken for alike


def look(line: Line2D) -> tuple:
    return str(line.get_linestyle()), line._dash_pattern if hasattr(line, "_dash_pattern") else "", line.get_marker()


def alike(figure: Figure) -> list[tuple[str, str, str]]:
    """Curves of a legend that some readers cannot tell apart: neither by colour, nor by line, nor by mark."""
    found = []
    legends = [*figure.legends, *(ax.get_legend() for ax in figure.axes if ax.get_legend())]
    for legend in legends:
        lines = [one for one in legend.legend_handles if isinstance(one, Line2D)]
        for a, b in itertools.combinations(lines, 2):
            if look(a) == look(b):
                colours = np.array([to_rgb(a.get_color()), to_rgb(b.get_color())])
                found += [(str(a.get_label()), str(b.get_label()), vision) for vision in VISIONS
                          if np.linalg.norm(np.diff(seen_by(colours, vision), axis=0)) < APART]  # fmt: skip
    return found


def test_simulated_colours_keep_grey_and_lose_what_the_missing_cone_tells():
    greys = np.array([[0.0, 0.0, 0.0], [0.4, 0.4, 0.4], [1.0, 1.0, 1.0]])
    for vision in VISIONS:
        np.testing.assert_allclose(seen_by(greys, vision), greys, atol=2e-3)
    red, green = seen_by(np.array([[0.7, 0.25, 0.0], [0.35, 0.45, 0.0]]), "deuteranopia")
    assert np.linalg.norm(red - green) < APART < np.linalg.norm(np.array([0.7, 0.25]) - np.array([0.35, 0.45]))
    np.testing.assert_allclose(lightness(greys[[0, 2]]), [0.0, 100.0], atol=1e-6)


def test_no_two_of_twenty_curves_are_alike_for_anybody():
    with applied(Style()):
        looks = [series(k) for k in range(20)]
    looks = [one | {"linestyle": str(one["linestyle"])} for one in looks]
    assert len({(one["linestyle"], one["marker"]) for one in looks}) == 20


def test_orders_run_from_dark_to_pale_on_grey_paper():
    bright = lightness(np.array([to_rgb(colour) for colour in shades(7)]))
    assert (np.diff(bright) > 6).all()


def curves() -> dict:
    from tests.plots.test_battles import training
    from tests.plots.test_design import history
    from tests.plots.test_learning import made_up as learned
    from tests.plots.test_refinement import ladder
    from tests.plots.test_sweep import study

    return {
        "plan": lambda: plots.plan(solved("left-right")),
        "profiles": lambda: plots.plan(solved("beach-bar")),
        "convergence": lambda: plots.convergence({f"solver {k}": solved("crowd-aversion") for k in range(6)}),
        "convergences": lambda: plots.convergences([(f"{k}", solved("crowd-aversion")) for k in range(4)]),
        "learning": lambda: plots.learning(learned(("x",), (20,))),
        "refinement": lambda: plots.refinement(ladder()),
        "design": lambda: plots.design(history(5)),
        "battle": lambda: plots.training(training(5)),
        "sweep": lambda: plots.sweep(study(scheme=["upwind", "entropic"], reward=[1.0, 2.0]), ["cost"]),
    }


@pytest.mark.parametrize("name", list(curves()))
def test_curves_of_pictures_are_told_apart_by_everybody(name: str):
    assert alike(curves()[name]()) == []


def test_curves_that_differ_by_hue_alone_are_found_out():
    figure = Figure()
    ax = figure.subplots()
    for colour in ("#b04000", "#707000"):
        ax.plot([0, 1], [0, 1], color=colour, label=colour)
    ax.legend()
    assert {vision for _, _, vision in alike(figure)} >= {"deuteranopia"}
