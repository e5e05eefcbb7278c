"""Who hears whom: the graph that was asked for, beside nobody and everybody.

The three *arms* learn side by side, from the same start, with the same random numbers.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from scipy import sparse

from mfgsolve.errors import InputError
from mfgsolve.kernels.diffusion import MEAN, NEIGHBOURS, NOBODY
from mfgsolve.parts.combine import Combine
from mfgsolve.parts.graphs import GRAPHS

__all__ = ["ARMS", "CENTRALISED", "DIFFUSION", "INDEPENDENT", "graph_of_text", "hears", "upper_links"]

ARMS = ("diffusion", "independent", "centralised")
DIFFUSION, INDEPENDENT, CENTRALISED = range(3)
LINK = r"\s*\d+\s*-\s*\d+\s*"


def graph_of_text(text: str, agents: int) -> Any:
    """A name of `mfgsolve.parts.graphs.graph` as it is; links "0-1, 1-2, 2-0" as a matrix (agents, agents).

    Raises
    ------
    InputError
        for links of agents who are not there
    """
    if text in GRAPHS or re.fullmatch(f"{LINK}(,{LINK})*", text) is None:
        return text
    ends = np.array([[int(end) for end in link.split("-")] for link in text.split(",")])
    if ends.max() >= agents:
        raise InputError(
            f"the graph has a link of agent {ends.max()}; there are {agents}, numbered from 0 to {agents - 1}"
        )
    matrix = np.zeros((agents, agents))
    matrix[ends[:, 0], ends[:, 1]] = matrix[ends[:, 1], ends[:, 0]] = 1.0
    return sparse.csr_array(matrix)


def hears(combine: Combine) -> int:
    """Whom an agent hears, as `mfgsolve.kernels.diffusion` calls it."""
    if combine.links.nnz == 0:
        return NOBODY
    matrix = combine.matrix.toarray()
    return MEAN if combine.failure == 0 and bool((matrix == matrix[0, 0]).all()) else NEIGHBOURS


def upper_links(combine: Combine) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The two agents and the weight of every link, each link once."""
    upper = sparse.coo_array(sparse.triu(combine.matrix, 1))
    return upper.row.astype(np.int64), upper.col.astype(np.int64), upper.data.astype(float)
