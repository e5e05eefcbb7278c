"""Problem files of finite games: lattice moves, tables in data files, populations; every fault has its place."""

from __future__ import annotations

import os
import textwrap
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from scipy import sparse

import mfgsolve as mfg
from mfgsolve import problemfile
from mfgsolve.couplings import Capacity, CrowdAversion, Interaction, Price, QuadraticPotential, RunningCost
from mfgsolve.dynamics import LatticeMoves, Tabular
from mfgsolve.errors import FileError, InputError
from mfgsolve.games import Game, sampled
from mfgsolve.grids import Grid, TimeGrid
from mfgsolve.problem import Problem
from mfgsolve.problemfile import problem_from_toml, problem_to_toml, read_problem
from mfgsolve.spaces import Populations, States

DOCUMENTED = problemfile.__doc__
LATTICE = textwrap.dedent(DOCUMENTED.split("coupling can be::\n")[1].split("\n*A")[0].split("\nA *tabular")[0])
TABULAR = textwrap.dedent(DOCUMENTED.split("beside this one::\n")[1].split("\n*Sparse")[0])
ACTIONS, STATES, STEPS = 2, 3, 4


def arrays() -> dict[str, np.ndarray]:
    """The data file of the documented example."""
    rng = np.random.default_rng(3)
    allowed = np.ones((ACTIONS, STATES), dtype=bool)
    allowed[1, 2] = False
    return {
        "P": rng.dirichlet(np.ones(STATES), (ACTIONS, STATES)),
        "l": rng.random((ACTIONS, STATES)),
        "ok": allowed,
        "c": rng.random((STEPS, STATES)),
        "m0": np.array([0.5, 0.25, 0.25]),
    }


def triples(dense: np.ndarray, name: str = "P") -> dict[str, np.ndarray]:
    """A dense (action, state, next) or (step, action, state, next) array as lists of its entries."""
    stack = dense.reshape(-1, *dense.shape[-3:])
    step, action, state, column = np.nonzero(stack)
    found = {f"{name}_row": action * dense.shape[-2] + state, f"{name}_column": column}
    found[f"{name}_value"] = stack[step, action, state, column]
    return found | ({f"{name}_step": step} if dense.ndim == 4 else {})


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    np.savez("game.npz", **arrays())
    Path("game.toml").write_text(TABULAR)
    return tmp_path


def same_game(a: Problem, b: Problem) -> bool:
    one, two = Game(a), Game(b)

    def listed(game: Game) -> list[np.ndarray]:
        steps = range(game.steps)
        matrices = [game.step.transitions.matrix(t, game.cells).toarray() for t in steps]
        costs = [game.step.own_cost[min(t, game.step.own_cost.shape[0] - 1)] for t in steps]
        bounds = [limit for block in game.bounds() for limit in block[2:]]
        return [*sampled(game), *matrices, *costs, *bounds, *game.amounts, game.step.allowed, game.price(crowd)]

    crowd = one.flow(one.step.uniform())
    numbers = [(g.temperature, g.dt, g.grid.identity) for g in (one, two)]
    return numbers[0] == numbers[1] and all(np.array_equal(x, y) for x, y in zip(listed(one), listed(two), strict=True))


def tabular_in_python(transitions: object = None) -> Problem:
    given, matrix = arrays(), [[1.0, 0.5, 0.0], [0.5, 1.0, 0.0], [0.0, 0.0, 1.0]]
    return Problem(
        grid=States(3),
        time=TimeGrid(4.0, 4),
        dynamics=Tabular(
            given["P"] if transitions is None else transitions, given["l"], 0.1, ["stay", "go"], given["ok"]
        ),
        coupling=Interaction(matrix) + RunningCost(lambda t, c: given["c"][min(round(t), 3)]),
        initial=given["m0"],
    )


# -- what is read is what was meant ------------------------------------------------------------------------------------


def test_the_documented_lattice_is_the_game_it_says() -> None:
    centre = [0, 0.1, 0.2, 0.3, 0.4, 0.4, 0.3, 0.2, 0.1, 0]
    python = Problem(
        grid=Grid.box((20,), boundary="periodic"),
        time=TimeGrid(1.0, 10),
        dynamics=LatticeMoves((-1, 0, 1), (0.05, 0.0, 0.05), jumps={-1: 0.1, 0: 0.8, 1: 0.1}),
        coupling=Capacity(3.0)
        + Price(QuadraticPotential(2.0, lambda t: centre[round(10 * t)]), (None, 1.0))
        + CrowdAversion(0.2, on="occupation"),
        initial=lambda t, c: 2.0 * (c.x <= 0.5),
    )
    problem = problem_from_toml(LATTICE)
    assert same_game(problem, python)
    assert same_game(problem, problem_from_toml(problem_to_toml(problem)))
    assert problem_to_toml(problem) == LATTICE


def test_the_documented_table_is_the_game_it_says() -> None:
    assert same_game(read_problem("game.toml"), tabular_in_python())


@pytest.mark.parametrize("timed", [False, True])
@pytest.mark.parametrize("kind", ["dense", "triples", "netcdf"])
def test_transitions_in_every_form(kind: str, timed: bool) -> None:
    dense = arrays()["P"]
    if timed:
        dense = np.random.default_rng(5).dirichlet(np.ones(STATES), (STEPS, ACTIONS, STATES))
    given = arrays() | {"P": dense}
    if kind == "triples":
        del given["P"]
        given |= triples(dense)
        order = np.random.default_rng(0).permutation(len(given["P_row"]))
        given |= {name: array[order] for name, array in given.items() if name.startswith("P_")}
    text = TABULAR
    if kind == "netcdf":
        data = {name: (tuple(f"{name}_{k}" for k in range(array.ndim)), array) for name, array in given.items()}
        xr.Dataset(data).to_netcdf("game.nc", engine="h5netcdf")
        text = text.replace("game.npz", "game.nc")
    np.savez("game.npz", **given)
    assert same_game(problem_from_toml(text), tabular_in_python(dense))


def test_triples_stay_sparse_and_an_action_without_entries_counts() -> None:
    given = arrays()
    dense = given.pop("P")
    dense[1] = 0.0
    given |= triples(dense) | {"ok": np.array([[1, 1, 1], [0, 0, 0]])}
    np.savez("game.npz", **given)
    problem = read_problem("game.toml")
    assert all(sparse.issparse(matrix) for matrix in problem.dynamics.transitions)
    assert Game(problem).step.actions == 2
    assert mfg.solve(problem).converged


def test_values_written_out_need_no_data_file() -> None:
    text = """
        [states]
        names = ["left", "right"]
        [time]
        horizon = 2
        steps = 2
        [dynamics]
        kind = "tabular"
        transitions = [[[1, 0], [0, 1]], [[0, 1], [1, 0]]]
        cost = [[0, 0], [0.5, 0.25]]
        allowed = [[true, true], [true, false]]
        [[coupling]]
        kind = "crowd-aversion"
        strength = [1.0, 2.0]
        [[coupling]]
        kind = "price"
        amounts = [0, 1]
        upper = 0.75
        [initial]
        density = [0.75, 0.25]
        [terminal]
        cost = [0.0, 1.0]
    """
    problem = problem_from_toml(textwrap.dedent(text))
    python = Problem(
        grid=States(["left", "right"]),
        time=TimeGrid(2.0, 2),
        dynamics=Tabular([np.eye(2), np.eye(2)[::-1]], [[0, 0], [0.5, 0.25]], allowed=np.array([[1, 1], [1, 0]]) > 0),
        coupling=CrowdAversion(lambda t, c: 1.0 + c.state)
        + Price(QuadraticPotential(), (None, 0.75), amounts=[0.0, 1.0]),
        initial=np.array([0.75, 0.25]),
        terminal=np.array([0.0, 1.0]),
    )
    assert same_game(problem, python)
    assert problem_to_toml(problem).strip() == textwrap.dedent(text).strip()


def test_several_populations() -> None:
    text = """
        data = "game.npz"
        [grid]
        shape = [3]
        [time]
        horizon = 4
        steps = 4
        [dynamics]
        kind = "lattice"
        moves = [-1, 0, 1]
        [[population]]
        name = "hunter"
        density = {array = "hunters"}
        [[population]]
        name = "prey"
        dynamics = {kind = "tabular", transitions = "P", allowed = "ok"}
        density = {box = {lower = [0.5], upper = [1.0], inside = 1.5}}
        [[coupling]]
        kind = "interaction"
        matrix = [[0, -1], [1, 0]]
        between = "populations"
        [[coupling]]
        kind = "log"
        shift = 0.1
    """
    np.savez("game.npz", hunters=np.array([3.0, 0.0, 0.0]), **arrays())
    problem = problem_from_toml(textwrap.dedent(text))
    given = arrays()
    python = Problem(
        grid=Populations(["hunter", "prey"], Grid.box((3,))),
        time=TimeGrid(4.0, 4),
        dynamics=[LatticeMoves((-1, 0, 1)), Tabular(given["P"], allowed=given["ok"])],
        coupling=Interaction([[0, -1], [1, 0]], "populations") + mfg.LogCongestion(shift=0.1),
        initial=np.array([[3.0, 0.0, 0.0], [0.0, 1.5, 1.5]]),
    )
    assert same_game(problem, python)
    assert not problem.is_potential
    assert same_game(problem, problem_from_toml(problem_to_toml(problem)))


def test_arrays_on_a_grid_tie_a_diffusion_to_it() -> None:
    text = """
        data = "map.npz"
        [grid]
        shape = [8, 16]
        [time]
        horizon = 1.0
        steps = 32
        [dynamics]
        scheme = "upwind"
        viscosity = 0.05
        [[coupling]]
        kind = "crowd-aversion"
        [[coupling]]
        kind = "running-cost"
        cost = [{array = "height"}, 1.0]
        [initial]
        density = 1.0
    """
    height = np.random.default_rng(0).random((8, 16))
    np.savez("map.npz", height=height)
    problem = problem_from_toml(textwrap.dedent(text))
    python = Problem(
        grid=Grid.box((8, 16)), time=TimeGrid(1.0, 32), dynamics=mfg.ControlledDiffusion(0.05, scheme="upwind"),
        coupling=CrowdAversion(1.0) + RunningCost(lambda t, c: height + 1.0), initial=np.ones((8, 16)),
    )  # fmt: skip
    assert problem.rescaled((4, 8), 16) is None
    assert np.array_equal(mfg.solve(problem).dataset.density, mfg.solve(python).dataset.density)


# -- a solution keeps its problem --------------------------------------------------------------------------------------


def test_a_solution_names_its_data_file_and_is_rebuilt_from_it(folder: Path) -> None:
    os.mkdir("sub")
    for name in ("game.npz", "game.toml"):
        os.rename(name, f"sub/{name}")
    solution = mfg.solve(read_problem("sub/game.toml"), tol=1e-8)
    text = solution.dataset.attrs["problem"]
    assert 'file = "sub/game.npz"' in text
    assert str(folder) not in text
    assert same_game(problem_from_toml(text), tabular_in_python())
    os.chdir("sub")  # where only the file itself is: found by its name, and known by its digest
    assert same_game(problem_from_toml(text), tabular_in_python())
    os.remove("game.npz")
    with pytest.raises(FileError, match=r"data file sub/game.npz \(SHA-256 \w{12}\.\.\.\).*put it there"):
        problem_from_toml(text)
    np.savez("game.npz", **arrays() | {"l": np.zeros((2, 3))})
    with pytest.raises(FileError, match=r"is not the one that the problem was made of: its SHA-256 .* bring that file"):
        problem_from_toml(text)


def test_a_change_in_python_is_not_hidden_behind_the_text() -> None:
    problem = read_problem("game.toml")
    problem_to_toml(problem)
    warmer = problem.at_temperature(0.2)
    with pytest.raises(InputError, match="was changed in Python after it was built"):
        problem_to_toml(warmer)
    same = problem.at_temperature(0.1)
    assert problem_to_toml(same) == problem_to_toml(problem), "read again and compared, array by array"


def test_nothing_pickled_is_read() -> None:
    np.savez("game.npz", **arrays() | {"l": np.array([print, len], dtype=object)})
    with pytest.raises(InputError, match="allow_pickle=False"):
        read_problem("game.toml")


# -- faults ----------------------------------------------------------------------------------------------------------


def fault(text: str | None = None, **changed: np.ndarray | None) -> str:
    given = {name: array for name, array in (arrays() | changed).items() if array is not None}
    np.savez("game.npz", **given)
    with pytest.raises(InputError) as caught:
        problem_from_toml(TABULAR if text is None else text)
    return str(caught.value)


def changed(name: str, place: tuple[int, ...], value: float) -> np.ndarray:
    array = arrays()[name].copy()
    array[place] = value
    return array


def test_faults_of_the_arrays() -> None:
    moved = changed("P", (1, 0, 2), arrays()["P"][1, 0, 2] + 0.5)
    assert "problem text: transitions of action go from state 0 sum to 1.5; they must sum to 1" in fault(P=moved)
    timed = np.repeat(arrays()["P"][None], STEPS, axis=0)
    timed[2, 0, 1, 1] += 0.25
    assert "transitions of action stay at step 2 from state 1 sum to 1.25" in fault(P=timed)
    negative = changed("P", (0, 2, 1), -0.25)
    assert "transitions of action stay from state 2 to state 1 have probability -0.25" in fault(P=negative)
    assert "transitions of action stay from state 1 are not finite" in fault(P=changed("P", (0, 1, 1), np.nan))
    assert "has shape (3, 2); (3, 3) is needed" in fault(P=arrays()["P"][:, :, :2])
    assert "array 'P' of game.npz holds <U1; real numbers" in fault(P=np.array(["a"]))
    assert "own cost has shape (3,)" in fault(l=np.ones(3))
    assert "own cost of action 0 in state 1 at step 0 is inf" in fault(l=changed("l", (0, 1), np.inf))
    assert "booleans of shape (2, 3), (action, state), are needed" in fault(ok=np.ones((3, 2)))
    assert "array 'ok' of game.npz holds other things than true and false" in fault(ok=np.full((2, 3), 0.5))
    assert "state 1 has no allowed action" in fault(ok=np.array([[1, 0, 1], [1, 0, 1]]))
    assert "running cost: array 'c' of game.npz has shape (3, 3); (3,) or (4, 3) or (5, 3) is needed" in fault(
        c=np.ones((3, 3))
    )
    assert "running cost is nan at t = 0, cell (1,)" in fault(c=changed("c", (0, 1), np.nan))


def test_faults_of_triples() -> None:
    good = triples(arrays()["P"])

    def told(**bad: np.ndarray) -> str:
        return fault(P=None, **(good | bad))

    assert "booleans of shape (3, 3), (action, state), are needed" in told(P_row=good["P_row"] + STATES)
    assert "array 'P_column' of game.npz holds 3; whole numbers from 0 to 2 are needed" in told(
        P_column=good["P_column"] + 1
    )
    assert "array 'P_row' of game.npz holds -1" in told(P_row=good["P_row"] - 1)
    assert "array 'P_row' of game.npz holds float64; whole numbers are needed" in told(P_row=good["P_row"] + 0.5)
    assert "three lists of one length are needed" in told(P_value=good["P_value"][:-1])
    assert "sum to" in told(P_value=good["P_value"] * 0.5)
    assert "'P_value'" in fault(P=None, P_row=good["P_row"], P_column=good["P_column"])


def test_faults_of_names_and_files() -> None:
    assert "coupling[1].cost: unknown array of game.npz 'cc'; did you mean 'c'?" in fault(
        TABULAR.replace('{array = "c"}', '{array = "cc"}')
    )
    assert "dynamics.transitions: unknown array of game.npz 'Q'" in fault(TABULAR.replace('"P"', '"Q"'))
    assert "'c' is no number; an array of the data file is written {array = 'c'}" in fault(
        TABULAR.replace('{array = "c"}', '"c"')
    )
    assert "data file gone.npz, which holds arrays of the problem, is not in" in fault(
        TABULAR.replace("game.npz", "gone.npz")
    )
    assert "no data file; write data = 'game.npz' on top" in fault(TABULAR.replace('data = "game.npz"', ""))
    Path("game.csv").write_text("1,2")
    assert "data file game.csv has the suffix '.csv'; .npz or .nc is needed" in fault(TABULAR.replace("npz", "csv"))
    Path("bad.npz").write_bytes(b"PK\x03\x04 nothing")
    told = fault(TABULAR.replace("game.npz", "bad.npz"))
    assert "data file bad.npz cannot be read (it is no .npz archive)" in told
    assert "pickle" not in told
    Path("bad.nc").write_bytes(b"\x89HDF\r\n nothing")
    assert "data file bad.nc cannot be read" in fault(TABULAR.replace("game.npz", "bad.nc"))
    assert "is no name of a data file" in fault(TABULAR.replace('"game.npz"', "3"))


@pytest.mark.parametrize(
    ("text", "old", "new", "words"),
    [
        (TABULAR, "count = 3 ", "count = 4 ", "initial density has shape (3,); the grid has (4,)"),
        (TABULAR, "count = 3 ", "", "states need either a count or names, and not both"),
        (TABULAR, "[states]", "[grid]\nshape = [3]\n[states]", "either a [grid] or [states], and not both"),
        (TABULAR, '"tabular"', '"tabluar"', "unknown kind of dynamics 'tabluar'; did you mean 'tabular'?"),
        (TABULAR, "[0.5, 0.25, 0.25]", "[0.5, 0.25, 0.5]", "initial density sums to 1.25 over the grid"),
        (TABULAR, "temperature = 0.1", "temperature = -1.0", "temperature is -1.0; it must be zero or positive"),
        (TABULAR, "[[1.0, 0.5, 0.0]", "[[1.0, 0.5]", "has rows of different lengths"),
        (TABULAR, "[[1.0, 0.5, 0.0], ", "[", "coupling[0]: matrix of the interaction has shape (2, 3)"),
        (TABULAR, "[dynamics]", "[dinamics]", "unknown key 'dinamics'; did you mean 'dynamics'?"),
        (TABULAR, '"stay", "go"', '"stay"', "transitions have 2 actions and 1 names"),
        (LATTICE, "moves = [-1, 0, 1] ", "moves = [-1, 0, 1.5]", "dynamics.moves[2]: 1.5 is no whole number"),
        (LATTICE, "costs = [0.05, 0.0, 0.05]", "costs = [1, 2]", "lattice has 3 moves and 2 costs"),
        (LATTICE, "probability = 0.8", "probability = 0.7", "probabilities of the jumps sum to 0.9"),
        (LATTICE, 'walls = "stay"', 'walls = "sty"', "unknown behaviour at walls 'sty'; did you mean 'stay'?"),
        (LATTICE, "0.1, 0]", "0.1]", "coupling[1]: centre of the price has shape (9,); one number for each of the 10"),
        (LATTICE, 'on = "occupation"', 'on = "ocupation"', "did you mean 'occupation'?"),
        (LATTICE, 'kind = "lattice"', "", "dynamics: unknown key 'costs'"),
        (LATTICE, "cap = 3.0", "cap = -3.0", "capacity is negative"),
    ],
)
def test_each_fault_has_its_sentence(text: str, old: str, new: str, words: str) -> None:
    assert old in text
    assert words in fault(text.replace(old, new, 1))


def test_a_shape_for_states_is_refused() -> None:
    with pytest.raises(InputError, match=r"problem file game.toml: shape is given, and the problem has \[states\]"):
        read_problem("game.toml", shape=(3,))
    assert read_problem("game.toml", settings={"data": "game.npz"}).time.steps == 4
