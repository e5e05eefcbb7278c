"""Graphs as texts, and whom an agent hears."""

from __future__ import annotations

import numpy as np
import pytest

from mfgsolve.errors import InputError
from mfgsolve.kernels.diffusion import MEAN, NEIGHBOURS, NOBODY
from mfgsolve.learners.diffusion.arms import graph_of_text, hears, upper_links
from mfgsolve.parts.combine import Combine


def test_links_are_read_from_a_text():
    found = graph_of_text("0-1, 1-2,3 - 2", 4).toarray()
    wanted = np.zeros((4, 4))
    for k, j in ((0, 1), (1, 2), (2, 3)):
        wanted[k, j] = wanted[j, k] = 1
    assert (found == wanted).all()
    assert graph_of_text("small-world", 4) == "small-world"
    assert graph_of_text("rings", 4) == "rings"
    with pytest.raises(InputError, match="a link of agent 4; there are 4, numbered from 0 to 3"):
        graph_of_text("0-1,1-4", 4)


def test_whom_an_agent_hears():
    assert hears(Combine(5, "none")) == NOBODY
    assert hears(Combine(1, "complete")) == NOBODY
    assert hears(Combine(5, "complete")) == MEAN
    assert hears(Combine(3, "ring")) == MEAN
    assert hears(Combine(5, "ring")) == NEIGHBOURS
    assert hears(Combine(5, "complete", failure=0.1)) == NEIGHBOURS


def test_links_come_once_with_their_weights():
    tails, heads, share = upper_links(Combine(5, "ring"))
    assert sorted(zip(tails.tolist(), heads.tolist(), strict=True)) == [(0, 1), (0, 4), (1, 2), (2, 3), (3, 4)]
    assert share == pytest.approx(1 / 3)
    assert upper_links(Combine(5, "none"))[2].size == 0
