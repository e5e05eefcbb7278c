"""Problems in which agents walk."""

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
