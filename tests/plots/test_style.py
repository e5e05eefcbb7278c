"""Options of all pictures: what they take, what they refuse, and whose settings hold."""

from __future__ import annotations

import threading

import matplotlib
import numpy as np
import pytest
from matplotlib import rc_context
from pictured import solved, texts

from mfgsolve import plots
from mfgsolve.errors import InputError
from mfgsolve.plots.style import OPTIONS, PALETTE, Options, current, is_drawing, set_to, sheet, style_of

WARNED = "supply-demand"  # is solved with fewer steps than it needs


def test_unknown_options_suggest_the_nearest_of_all_that_there_are():
    for wrong, meant in (("wdith", "width"), ("tims", "times"), ("label", "labels"), ("certficate", "certificate")):
        with pytest.raises(InputError, match=rf"option of plots.plan '{wrong}'; did you mean '{meant}'"):
            plots.plan(solved("beach-bar"), **{wrong: 1})
    assert set(Options.__annotations__) == set(OPTIONS)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"width": "wide"}, "a real number is needed"),
        ({"width": 0.5}, "width of a picture is 0.5 inches; 2 to 100"),
        ({"width": float("nan")}, "width of a picture is nan"),
        ({"title": 3}, "a text is needed, '' for none"),
        ({"labels": {"x": 1}}, "texts by texts are needed"),
        ({"certificate": "no"}, "True or False"),
        ({"style": "gplot"}, r"unknown style 'gplot'; did you mean 'ggplot'"),
        ({"style": {"font.sise": 3}}, r"setting of a style 'font.sise'; did you mean 'font.size'"),
        ({"style": {"lines.linewidth": "thick"}}, "a setting of the style is refused"),
        ({"style": 5}, "style of a picture is 5; a style sheet is needed"),
        ({"style": ["ggplot", 5]}, "a style sheet is needed"),
        ({"style": {"font.size": "large"}}, "font.size of a style"),
        ({"style": {"font.size": 0}}, "font.size of a style is 0 points; more than 0"),
        ({"style": {"font.size": float("nan")}}, "font.size of a style is nan"),
        ({"ax": 3}, "ax of a picture holds a int"),
        ({"slice": {"y": 0.5}}, r"a height is needed: \{\"z\": 0.5\}"),
        ({"slice": {}}, "a height is needed"),
        ({"slice": {"z": 0.5}}, "is for three axes; beach-bar has x"),
        ({"project": "x"}, "'z' is needed"),
        ({"slice": {"z": 0.5}, "project": "z"}, "both given"),
        ({"labels": {"wen t": "when"}}, "unknown label in the picture 'wen t'; did you mean 'time t'"),
    ],
)
def test_values_that_are_none_are_refused(options: dict, words: str):
    with pytest.raises(InputError, match=words):
        plots.plan(solved("beach-bar"), **options)
    assert not is_drawing()


def test_nothing_of_matplotlib_is_left_changed():
    before = dict(matplotlib.rcParams)
    plots.plan(solved("beach-bar"), width=3.5, style="ggplot").draw_without_rendering()
    with pytest.raises(InputError):
        plots.plan(solved("beach-bar"), labels={"none": "such"})
    assert dict(matplotlib.rcParams) == before


def test_errors_of_the_drawing_itself_are_no_errors_of_a_style():
    with pytest.raises(ValueError, match="of somebody else"), set_to({"font.size": 8.0}):  # noqa: PT012
        assert matplotlib.rcParams["font.size"] == 8.0
        raise ValueError("of somebody else")
    before = dict(matplotlib.rcParams)
    with (
        pytest.raises(InputError, match="a setting of the style is refused"),
        set_to({"font.size": 8.0, "lines.linewidth": "x"}),
    ):
        pass
    assert dict(matplotlib.rcParams) == before


def test_what_the_user_set_is_taken_as_it_is():
    size = lambda figure: figure.axes[0].yaxis.label.get_fontsize()
    usual, narrow = plots.plan(solved("beach-bar")), plots.plan(solved("beach-bar"), width=3.5)
    assert size(narrow) == pytest.approx(0.95 * 7.0)
    assert size(usual) == pytest.approx(0.95 * 10.0)
    with rc_context({"font.size": 13.0, "axes.labelsize": 17.0, "axes.grid": True}):
        own = plots.plan(solved("left-right"), width=3.5)
    assert size(own) == 17.0
    assert own.axes[0].get_xticklabels()[0].get_fontsize() == pytest.approx(0.9 * 13.0)
    with rc_context({"axes.prop_cycle": matplotlib.cycler(color=["red", "lime"], linestyle=["-", ":"])}):
        lines = plots.plan(solved("left-right")).axes[1].lines
    assert [(line.get_color(), line.get_linestyle()) for line in lines[:3]] == [
        ("red", "-"),
        ("lime", ":"),
        ("red", "-"),
    ]


def test_a_style_sheet_holds_for_one_picture_and_when_it_is_painted_later(tmp_path):
    sheet_file = tmp_path / "paper.mplstyle"
    sheet_file.write_text("font.family: serif\naxes.facecolor: 0.9\n")
    figure = plots.plan(solved("left-right"), style=[sheet_file, {"axes.labelcolor": "blue"}])
    assert figure.settings["font.family"] == ["serif"]
    assert figure.axes[1].get_facecolor()[:3] == (0.9, 0.9, 0.9)
    assert figure.axes[1].xaxis.label.get_color() == "blue"
    assert plots.plan(solved("left-right")).axes[1].get_facecolor()[:3] == (1.0, 1.0, 1.0)
    assert sheet("ggplot")["axes.facecolor"] == matplotlib.style.library["ggplot"]["axes.facecolor"]


def test_titles_and_certificates_can_be_left_out_and_warnings_cannot():
    solution = solved(WARNED)
    assert solution.warnings
    told = plots.plan(solution).get_suptitle()
    assert "relative exploitability" in told
    assert "\nwarning: too few steps" in told
    bare = plots.plan(solution, certificate=False).get_suptitle()
    assert bare == "supply-demand: where the crowd is\nwarning: too few steps"
    assert plots.plan(solution, title="Figure 1").get_suptitle() == "Figure 1\nwarning: too few steps"
    assert plots.plan(solution, title="").get_suptitle() == "warning: too few steps"
    assert plots.plan(solved("beach-bar"), title="").get_suptitle() == ""


@pytest.mark.slow
def test_labels_take_the_place_of_texts_wherever_they_stand():
    figure = plots.plan(solved("left-right"), labels={"time t": "hour", "left": "west", "share of agents": "cars"})
    assert [ax.get_xlabel() for ax in figure.axes[:2]] == ["hour", "hour"]
    assert "west" in [text.get_text() for text in figure.axes[1].get_legend().get_texts()]
    assert figure.axes[1].get_ylabel() == figure.axes[2].get_ylabel().split("\n")[0] == "cars"
    assert "y (km)" in texts(plots.plan(solved("montreal"), labels={"x": "east"}))
    assert "x (km)" not in texts(plots.plan(solved("montreal"), labels={"x": "east"}))


def test_legends_can_be_left_out():
    for name in ("left-right", WARNED):
        figure = plots.plan(solved(name), legend=False)
        assert not figure.legends
        assert not any(ax.get_legend() for ax in figure.axes)


def test_each_thread_has_a_style_of_its_own():
    widths: dict[float, float] = {}

    def draw(width: float) -> None:
        widths[width] = plots.plan(solved("beach-bar"), width=width).get_figwidth()

    solved("beach-bar")
    threads = [threading.Thread(target=draw, args=(width,)) for width in (3.0, 4.0, 9.0)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert widths == {3.0: 3.0, 4.0: 4.0, 9.0: 9.0}
    assert current() is not None
    assert style_of({}).inches == 12.0


def test_colours_of_the_palette_are_dark_enough_on_white():
    from colour_vision import lightness

    shades = lightness(np.array([matplotlib.colors.to_rgb(colour) for colour in PALETTE]))
    assert shades.max() < 75
