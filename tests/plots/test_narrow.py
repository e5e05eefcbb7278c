"""Pictures as wide as a column of a journal: type can be read, nothing runs into anything, legends cover no curve."""

from __future__ import annotations

import itertools

import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox
from pictured import panels, solved

from mfgsolve import plots
from mfgsolve.plots.narrow import LOWER, _broken, settle

SMALLEST = 6.0  # points
SLACK = 1.5  # pixels
THINNEST = 24.0  # pixels of a panel


def pictures() -> dict:
    from tests.plots.test_agents import SPACES
    from tests.plots.test_agents import made_up as compared
    from tests.plots.test_design import history
    from tests.plots.test_faceoffs import result
    from tests.plots.test_learning import SPACES as WHERE
    from tests.plots.test_learning import made_up as learned
    from tests.plots.test_refinement import ladder
    from tests.plots.test_sweep import study

    return {
        "plan": lambda w: plots.plan(solved("supply-demand"), width=w),
        "plan of a wide plane": lambda w: plots.plan(solved("crowd-aversion"), width=w),
        "plan of populations": lambda w: plots.plan(solved("predator-prey"), width=w),
        "plan of a line": lambda w: plots.plan(solved("gaussian-log"), width=w),
        "plan of states": lambda w: plots.plan(solved("left-right"), width=w),
        "value": lambda w: plots.value(solved("supply-demand"), width=w),
        "speed": lambda w: plots.speed(solved("supply-demand"), width=w),
        "policy of a line": lambda w: plots.policy(solved("beach-bar"), width=w),
        "policy, likeliest": lambda w: plots.policy(solved("jumps"), width=w),
        "convergence": lambda w: plots.convergence(solved("supply-demand"), width=w),
        "convergences": lambda w: plots.convergences(
            [("a", solved("crowd-aversion")), ("b", solved("montreal"))], width=w
        ),
        "refinement": lambda w: plots.refinement(ladder(), width=w),
        "design": lambda w: plots.design(history(3), width=w),
        "faceoff": lambda w: plots.faceoff(result(), width=w),
        "learning of a plane": lambda w: plots.learning(learned(*WHERE["plane"]), width=w),
        "learning of states": lambda w: plots.learning(learned(*WHERE["states"]), width=w),
        "learning of a line": lambda w: plots.learning(learned(*WHERE["line"]), width=w),
        "agents of a plane": lambda w: plots.agents(compared(*SPACES["plane"]), width=w),
        "agents of states": lambda w: plots.agents(compared(*SPACES["states"]), width=w),
        "sweep": lambda w: plots.sweep(study(scheme=["upwind", "entropic"], reward=[1.0, 2.0]), width=w),
    }


def seen(figure: Figure) -> list[Text]:
    """Texts that are to be seen, those of numbers at axes that lie within the axis."""
    result = []
    for text in figure.findobj(Text):
        box = text.get_window_extent()
        if text.get_visible() and text.get_text().strip() and box.width > 0 and text.figure is not None:
            result.append(text)
    off = set()
    for ax in figure.axes:
        frame = ax.get_window_extent()
        for axis, low, high in ((ax.xaxis, frame.x0, frame.x1), (ax.yaxis, frame.y0, frame.y1)):
            for tick in [*axis.get_major_ticks(), *axis.get_minor_ticks()]:
                at = ax.transData.transform((tick.get_loc(), tick.get_loc()))[0 if axis is ax.xaxis else 1]
                for label, shown in (
                    (tick.label1, tick.label1.get_visible()),
                    (tick.label2, tick.label2.get_visible()),
                ):
                    if not (shown and axis.get_visible() and ax.axison and low - 1 <= at <= high + 1):
                        off.add(label)
        if not ax.axison:
            off |= {ax.xaxis.label, ax.yaxis.label}
    return [text for text in result if text not in off]


def overlap(a: Bbox, b: Bbox) -> bool:
    return min(min(a.x1, b.x1) - max(a.x0, b.x0), min(a.y1, b.y1) - max(a.y0, b.y0)) > SLACK


def faults(figure: Figure) -> list[str]:
    """What runs into something else, or off the page."""
    texts, page = seen(figure), figure.bbox
    boxes = [(text.get_text(), text.get_window_extent(), text.get_rotation() % 90 == 0) for text in texts]
    found = [f"off the page: {text!r}" for text, box, _ in boxes
             if box.x0 < -SLACK or box.y0 < -SLACK or box.x1 > page.x1 + SLACK or box.y1 > page.y1 + SLACK]  # fmt: skip
    for (one, a, straight), (other, b, upright) in itertools.combinations(boxes, 2):
        if straight and upright and overlap(a, b):
            found.append(f"{one!r} and {other!r}")
    frames = {ax: ax.get_window_extent() for ax in figure.axes}
    for ax, frame in frames.items():
        if ax.get_label() != "<colorbar>" and min(frame.width, frame.height) < THINNEST:
            found.append(f"thin panel {ax.get_title()!r}")
        legend = ax.get_legend()
        if legend is not None and any(overlap(legend.get_window_extent(), other) for other in frames.values()):
            found.append(f"legend over a panel {ax.get_title()!r}")
    return found


QUICK = ("plan", "value of a plane", "convergences", "agents of a plane", "sweep", "refinement")
NAMES = [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in pictures()]


@pytest.mark.parametrize("width", [3.5, pytest.param(7.0, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", NAMES)
def test_pictures_are_readable_in_print(name: str, width: float):
    figure = pictures()[name](width)
    figure.draw_without_rendering()
    assert figure.get_figwidth() == width
    assert min(float(text.get_fontsize()) for text in seen(figure)) >= SMALLEST
    assert faults(figure) == []


def test_each_part_of_a_narrow_page_grows_by_what_it_takes_and_keeps_no_white() -> None:
    figure = Figure(figsize=(3.5, 6.0), layout="constrained")
    above, below = figure.subfigures(2, 1, height_ratios=(2.0, 4.0))
    square, plain = above.subplots(), below.subplots()
    square.set_aspect("equal")
    plain.plot([0, 1], [0, 1], label="a curve")
    plain.legend(loc="upper center", borderaxespad=0.0).set_gid(LOWER)
    settle(figure)
    figure.draw_without_rendering()
    heights = [part.bbox.height / figure.dpi for part in (above, below)]
    assert heights[0] == pytest.approx(2.0, abs=0.05)
    assert 4.15 < heights[1] < 4.6
    tall = Figure(figsize=(3.5, 6.0), layout="constrained")
    ax = tall.subplots()
    ax.set_aspect("equal")
    settle(tall)
    tall.draw_without_rendering()
    assert tall.get_figheight() < 3.8
    assert ax.get_window_extent().width / tall.dpi > 2.9


@pytest.mark.parametrize("name", ["supply-demand", "predator-prey"])
def test_panels_true_to_scale_fill_a_narrow_page(name: str) -> None:
    solution = solved(name)
    figure = plots.plan(solution, width=3.5)
    figure.draw_without_rendering()
    white = [
        ax.get_position(original=True).height * figure.bbox.height - ax.get_window_extent().height
        for ax in panels(figure)
    ]
    assert min(white) < 0.1 * figure.dpi


def test_lists_are_broken_between_their_parts() -> None:
    text = "density of agents (mass per unit area), colour, beyond\nthe arrow: the start"
    assert _broken(text, 2.0, 7.0).split("\n")[-1] == "beyond the arrow: the start"
    assert _broken("all\nfits", 2.0, 7.0) == "all\nfits"
