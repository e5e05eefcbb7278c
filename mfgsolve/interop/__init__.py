"""Borders to other libraries: their games as a `Problem`, our solutions as policies that their own scores take.

Rewards become costs here and nowhere else.  Nothing of a peer is imported before one of its functions is called;
``pip install 'mfgsolve[mfglib]'``, ``pip install 'mfgsolve[open-spiel]'`` and ``pip install 'mfgsolve[bench-mfg]'``
bring them along.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mfgsolve.errors import InputError, unknown
from mfgsolve.interop.benchmfg import (
    bench_mfg_names,
    build_bench_mfg,
    from_bench_mfg,
    to_bench_mfg_mean_field,
    to_bench_mfg_policy,
)
from mfgsolve.interop.mfglib import build_mfglib, from_mfglib, mfglib_names, to_mfglib_policy
from mfgsolve.interop.openspiel import build_openspiel, from_openspiel, openspiel_names, to_openspiel_policy
from mfgsolve.problem import Problem

__all__ = [
    "PEERS", "build", "from_bench_mfg", "from_mfglib", "from_openspiel", "names", "to_bench_mfg_mean_field",
    "to_bench_mfg_policy", "to_mfglib_policy", "to_openspiel_policy",
]  # fmt: skip

PEERS: dict[str, tuple[Callable[[str, Mapping[str, Any]], Problem], Callable[[], list[str]]]] = {
    "mfglib": (build_mfglib, mfglib_names),
    "openspiel": (build_openspiel, openspiel_names),
    "bench-mfg": (build_bench_mfg, bench_mfg_names),
}


def _peer(name: str) -> str:
    if name not in PEERS:
        raise InputError(unknown("peer library", name, PEERS))
    return name


def names(peer: str) -> list[str]:
    """Games of a peer that `build` makes, each as ``peer:game``; the peer must be installed.

    Raises
    ------
    InputError
        for an unknown peer, or one that is not installed
    """
    return [f"{peer}:{game}" for game in PEERS[_peer(peer)][1]()]


def build(name: str, settings: Mapping[str, Any] | None = None) -> Problem:
    """Make a peer's game by name: ``mfglib:beach_bar``, ``openspiel:mfg_crowd_modelling(size=10,horizon=10)``.

    Parameters
    ----------
    name : ``peer:game``; the game may carry settings in brackets, of OpenSpiel also ``setting=NAME`` alone, one of
        those of its factory: ``openspiel:python_mfg_dynamic_routing(setting=dynamic_routing_braess)``
    settings : parameters of the game in the peer's own words, over those in brackets

    Raises
    ------
    InputError
        for an unknown peer, game or setting (with the nearest spelling), and for a peer that is not installed
    """
    peer, colon, game = name.partition(":")
    if not (colon and game):
        raise InputError(f"{name!r} names no game of another library; write peer:game, say mfglib:beach_bar")
    return PEERS[_peer(peer)][0](game, dict(settings or {}))
