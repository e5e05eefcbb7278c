"""Solvers whose best responses are learned."""

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve.learners import (
    SampledFictitiousPlay,
    SampledMirrorDescent,
)

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


@pytest.mark.slow
def test_sampled_best_responses_drive_the_solvers_of_the_core():
    problem = mfg.problems.beach_bar(shape=(6,), steps=5)
    plays = SampledFictitiousPlay(agents=50, episodes=20)
    found = mfg.solve(problem, method=plays, max_iterations=25, check="ignore")
    assert found.relative_exploitability < 0.06 < float(found.dataset.relative_exploitability[0])
    warm = mfg.problems.beach_bar(shape=(6,), steps=5, temperature=0.3)
    descends = SampledMirrorDescent(agents=50, episodes=20)
    found = mfg.solve(warm, method=descends, max_iterations=25, check="ignore")
    assert found.relative_exploitability < 0.06 < float(found.dataset.relative_exploitability[0])


def test_sampled_fictitious_play_knows_nothing_at_first():
    with pytest.raises(mfg.InputError, match="episodes is 0"):
        SampledFictitiousPlay(episodes=0)
    problem = mfg.problems.beach_bar(shape=(6,), steps=5)
    found = mfg.solve(problem, method=SampledFictitiousPlay(), max_iterations=0, check="ignore")
    assert np.allclose(found.dataset.policy, 1 / 3)
