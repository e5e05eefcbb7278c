"""Problems in which agents walk."""

import numpy as np

import mfgsolve as mfg
from mfgsolve.agents.play import play_of


def lattice(noise="implicit", jumps=None):
    return mfg.Problem(
        grid=mfg.Grid.box((5, 6), boundary=("reflecting", "periodic")), time=mfg.TimeGrid(1.0, 5),
        dynamics=mfg.LatticeMoves(((0, 0), (1, 0), (-1, 0), (0, 1), (0, -1)), costs=0.01, viscosity=0.03, noise=noise,
                                  jumps=jumps, temperature=0.1),
        coupling=mfg.CrowdAversion(0.1), initial=1.0, terminal=lambda t, c: c.x, normalise=True,
    )  # fmt: skip


def play(problem):
    """The first best response to the crowd at rest: a policy that does something."""
    return play_of(mfg.solve(problem, method="fictitious-play", max_iterations=1, check="ignore"))


def diffusion(shape, boundary="reflecting", blocked=None, noise="implicit", steps=6, viscosity=0.02):
    grid = mfg.Grid.box(shape, boundary=boundary, blocked=blocked)
    return mfg.Problem(
        grid=grid, time=mfg.TimeGrid(0.5, steps),
        dynamics=mfg.ControlledDiffusion(viscosity, noise=noise, scheme="upwind"),
        coupling=mfg.CrowdAversion(0.3), initial=mfg.Bump(1.0, 0.2, (0.3,) * len(shape)),
        terminal=lambda t, c: (c.x - 0.7) ** 2, normalise=True,
    )  # fmt: skip


def hole(shape):
    blocked = np.zeros(shape, dtype=bool)
    blocked[tuple(n // 2 for n in shape)] = True
    blocked[(0,) * len(shape)] = True
    return blocked


def rock_paper_scissors_like():
    """Two populations on three states that chase each other, with transitions that leak."""
    rng = np.random.default_rng(3)

    def matrices(leak):
        moves = [np.roll(np.eye(3), k, axis=1) for k in (-1, 0, 1)]
        return [(1 - leak) * move + leak * rng.dirichlet(np.ones(3), size=3) for move in moves]

    dynamics = [mfg.Tabular(matrices(leak), cost=0.1, temperature=0.2) for leak in (0.1, 0.3)]
    return mfg.Problem(
        grid=mfg.Populations(["red", "blue"], mfg.States(3)), time=mfg.TimeGrid(4.0, 4), dynamics=dynamics,
        coupling=mfg.Interaction([[1.0, 0.5], [-0.5, 1.0]], between="populations"),
        initial=np.array([[0.7, 0.2, 0.1], [0.2, 0.2, 0.6]]),
    )  # fmt: skip


PROBLEMS = {
    "1-D": lambda: diffusion((9,)),
    "2-D": lambda: diffusion((7, 6)),
    "3-D": lambda: diffusion((4, 3, 5)),
    "periodic": lambda: diffusion((7, 6), boundary="periodic"),
    "two cells round": lambda: diffusion((2, 5), boundary="periodic"),
    "blocked": lambda: diffusion((7, 6), blocked=hole((7, 6))),
    "blocked round": lambda: diffusion((7, 6), boundary=("reflecting", "periodic"), blocked=hole((7, 6))),
    "explicit": lambda: diffusion((5, 6), noise="explicit", steps=60),
    "explicit round": lambda: diffusion((5, 6), "periodic", hole((5, 6)), noise="explicit", steps=60),
    "strong noise": lambda: diffusion((7, 6), "periodic", viscosity=3.0),
    "no noise": lambda: diffusion((7, 6), viscosity=0.0),
    "lattice": lattice,
    "lattice jumps": lambda: lattice("explicit", {(0, 1): 0.3, (0, 0): 0.7}),
    "populations": rock_paper_scissors_like,
}


def mass_of(party_play):
    """Mass of the flow of a policy, (T+1, states)."""
    return party_play.game.flat(party_play.crowd)[:, : party_play.game.cells]
