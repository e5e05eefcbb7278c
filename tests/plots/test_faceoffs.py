"""Pictures and films of face-offs."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from PIL import Image

from mfgsolve import plots
from mfgsolve.errors import InputError
from mfgsolve.plots.faceoffs import BattleFilm
from mfgsolve.plots.style import applied, style_of


def result() -> xr.Dataset:
    """Two algorithms, two seatings of two games; one of four groups has most alive in each."""
    alive = np.zeros((2, 2, 4))
    alive[0, 0, 1] = alive[0, 1, 0] = alive[1, 0, 1] = 3.0
    alive[1, 1] = 2.0  # a tie
    power = np.zeros((3, 4, 2))
    power[0] = 1.0
    power[1, :, 0] = 0.5
    place = np.ones((3, 4, 2, 2))
    place[1, 2, 0] = (4, 5)
    return xr.Dataset(
        {
            "seat": (("seating", "group"), [[0, 1, 0, 1], [1, 0, 1, 0]]),
            "alive_of_game": (("seating", "game", "group"), alive),
            "win_rate": ("algorithm", [0.5, 0.25]), "low": ("algorithm", [0.2, 0.1]), "high": ("algorithm", [0.8, 0.6]),
            "games": ("algorithm", [4, 4]), "alive": ("algorithm", [1.0, 2.0]), "kills": ("algorithm", [3.0, 4.0]),
            "film_power": (("frame", "member", "slot"), power),
            "film_position": (("frame", "member", "slot", "axis"), place),
        },
        {"algorithm": ["il", "mfq"], "group": list("abcd")},
        {"kind": "faceoff", "task": "multi-team-battle", "parameter_size": 8},
    )  # fmt: skip


def test_wins_have_intervals_and_seats():
    wins, alive, seats = plots.faceoff(result()).axes[:3]
    assert [bar.get_height() for bar in wins.patches] == [0.5, 0.25]
    ends = wins.collections[0].get_segments()
    np.testing.assert_allclose([segment[:, 1] for segment in ends], [[0.2, 0.8], [0.1, 0.6]])
    assert [bar.get_height() for bar in alive.patches] == [1.0, 2.0, 3.0, 4.0]
    shares = np.asarray(seats.images[0].get_array())
    np.testing.assert_allclose(shares, [[0.5, 0.5, 0.0, 0.0], [0.0, 0.5, 0.0, 0.0]])


def test_a_film_shows_who_is_alive_and_how_strong():
    film = BattleFilm(result())
    assert film.times.tolist() == [0.0, 1.0, 2.0]
    texts = [text.get_text() for text in film.axes.get_legend().get_texts()]
    assert texts == ["a (il): 2", "b (mfq): 2", "c (il): 2", "d (mfq): 2"]
    film.show(1.2)
    assert film.dots[2].get_offsets().tolist() == [[4.0, 5.0]]
    assert film.dots[2].get_alpha().tolist() == [0.25 + 0.75 * 0.5]
    film.show(2.0)
    assert len(film.dots[0].get_offsets()) == 0
    assert "step 2 of 2" in film.axes.get_title(loc="left")


def test_films_are_written(tmp_path):
    from PIL import Image

    with Image.open(plots.animate(result(), tmp_path / "b.gif", frames=3)) as film:
        assert film.n_frames == 3


def test_what_is_no_faceoff_is_refused():
    with pytest.raises(InputError, match="a face-off is needed"):
        plots.faceoff(xr.Dataset())
    with pytest.raises(InputError, match="holds no game to watch"):
        BattleFilm(result().drop_vars("film_power"))


def test_seats_in_which_an_algorithm_never_sat_say_so():
    some = result()
    some["seat"].values[:] = [[0, 1, 0, 1], [0, 1, 1, 0]]
    seats = plots.faceoff(some).axes[2]
    assert np.isnan(np.asarray(seats.images[0].get_array(), dtype=float)).sum() == 2
    assert sorted(text.get_position() for text in seats.texts) == [(0, 1), (1, 0)]
    assert {text.get_text() for text in seats.texts} == {"never\nsat here"}
    assert not plots.faceoff(result()).axes[2].texts


def test_a_film_of_battles_takes_the_options_of_films(tmp_path):
    options = {"width": 4.0, "title": "who wins", "labels": {"a (il)": "we"}}
    path = plots.animate(result(), tmp_path / "battle.gif", frames=3, dpi=50, **options)
    with Image.open(path) as film:
        assert film.size[0] == 200
        assert film.n_frames == 3
    with applied(style_of(options)):
        film = BattleFilm(result())
    film.show(1.0)
    assert film.axes.get_title(loc="left") == "who wins: step 1 of 2"
    assert film.axes.get_legend().get_texts()[0].get_text() == "we: 1"
    with applied(style_of({"title": "", "legend": False})):
        bare = BattleFilm(result())
    assert bare.axes.get_title(loc="left") == "step 0 of 2"
    assert bare.axes.get_legend() is None
    with pytest.raises(InputError, match=r"unknown label in the picture 'a \(ill\)'; did you mean 'a \(il\)'"):
        plots.animate(result(), tmp_path / "battle.gif", labels={"a (ill)": "we"})
