"""Pictures of economies: what stands in them."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from matplotlib.figure import Figure

import mfgsolve as mfg
from mfgsolve import plots
from tests.economies import aiyagari, huggett


@pytest.fixture(scope="module")
def answer():
    return mfg.solve(aiyagari(200))


def lines(ax) -> dict[str, object]:
    return {line.get_label(): line for line in ax.lines}


def test_every_panel_shows_what_the_dataset_holds(answer):
    figure = answer.plot()
    density, consumption, saving, spent, lorenz, market = figure.axes
    assert [ax.get_title() for ax in figure.axes][3:] == ["propensity to consume", "Lorenz curves", "the market"]
    for ax, name in ((consumption, "consumption"), (saving, "saving"), (spent, "marginal_propensity")):
        line = lines(ax)["2"]
        values = answer.dataset[name].sel(income=2.0)
        assert line.get_ydata() == pytest.approx(values.sel(wealth=line.get_xdata()).values)
    assert lines(density)["1"].get_xdata()[0] > 0
    assert "% at the limit 0" in density.texts[0].get_text()
    amounts = ("wealth", "consumption", "earnings")
    assert set(lines(lorenz)) >= {f"{name} ({answer.numbers[f'gini_{name}']:.2f})" for name in amounts}
    data, price = answer.dataset, answer.price
    for label, name in (("households hold", "scanned_holdings"), ("there is", "scanned_supply")):
        drawn = lines(market)[label]
        at = int(np.flatnonzero(drawn.get_ydata() == price).item())  # both go through the answer
        assert drawn.get_xdata()[at] == pytest.approx(answer.numbers["mean_wealth"], rel=1e-10)
        np.testing.assert_array_equal(np.delete(drawn.get_xdata(), at), data[name])
        np.testing.assert_array_equal(np.delete(drawn.get_ydata(), at), data["scanned_price"])
    assert lines(market)["clears"].get_xdata() == pytest.approx([answer.numbers["mean_wealth"]], rel=1e-10)
    assert lines(market)["clears"].get_ydata() == pytest.approx([answer.price])
    assert figure.get_suptitle().startswith("aiyagari: r = 0.04")
    assert "to the continuum" in figure.get_suptitle()


def test_what_cannot_be_shared_has_no_curve_and_no_error_no_band(tmp_path):
    answer = mfg.solve(huggett(60), estimate=False)
    figure = plots.draw(mfg.load(answer.save(tmp_path / "h.nc")))
    assert not any(label.startswith("wealth") for label in lines(figure.axes[4]))
    assert "continuum" not in lines(figure.axes[5])
    assert "continuum" not in figure.get_suptitle()
    assert plots.save(figure, tmp_path / "huggett.png").stat().st_size > 10000


def test_warnings_and_an_early_end_stand_in_the_title():
    short = mfg.Economy(huggett().households.on(mfg.Wealth.uniform(-0.15, 0.2, 100)))
    title = mfg.solve(short, check="ignore").plot().get_suptitle()
    assert "warning: wealth at the top" in title
    jump = mfg.solve(huggett(60, supply=lambda r: 0.2 if r < 0.03 else -0.1), check="ignore")
    assert "(stalled)" in jump.plot().get_suptitle()


def test_it_takes_the_options_of_all_pictures(answer):
    narrow = answer.plot(width=3.5, title="mine", labels={"saving": "savings"})
    assert narrow.get_figwidth() == 3.5
    assert narrow.get_suptitle() == "mine"
    figure = Figure()
    assert answer.plot(ax=figure.subplots(2, 3)) is figure
    with pytest.raises(mfg.InputError, match="has one picture"):
        plots.draw(answer, "plan")


def test_no_panel_goes_beyond_the_highest_wealth_and_no_legend_covers_a_curve():
    lecture = mfg.solve(mfg.problems.aiyagari_lecture(points=60, highest=12.0), check="ignore")
    figure = lecture.plot()
    assert figure.axes[1].get_xlim()[1] == pytest.approx(12.0)
    market = mfg.solve("aiyagari", points=501, estimate=False).plot().axes[5]
    market.figure.draw_without_rendering()
    box = market.get_legend().get_window_extent()
    for line in market.lines:
        points = market.transData.transform(np.column_stack([line.get_xdata(), line.get_ydata()]))
        assert not any(box.count_contains(np.linspace(*ends, 50)) for ends in itertools.pairwise(points))
        assert not box.count_contains(points)
