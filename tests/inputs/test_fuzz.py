"""Texts and files changed at random: whatever comes out is an InputError, or a problem."""

from __future__ import annotations

import copy
import math
import random
import tomllib
import warnings
from pathlib import Path
from typing import Any

import pytest

import mfgsolve as mfg
from mfgsolve.problemfile import problem_from_toml
from mfgsolve.problemfile.tomlwriter import dump_toml

SEEDS = 4
PIECES = [
    "[", "]", "[[", "]]", "{", "}", "=", '"', "'", "'''", ",", ".", "#", "\n", "\r", "\0", "\u202e", "\ufeff", "-", "+",
    "1e999", "nan", "inf", "-1", "0", "1" * 30, "9" * 5000, "true", "1979-05-27", "0x1F", "a.b.c = 1\n", "[grid]\n",
    '"\\u0000"', "shape", "density", "{array = 'x'}", "{csv = 'x.csv'}", "{bump = {}}", "[[population]]\nname = 'p'\n",
    "data = 'x.npz'\n", "problem = 'beach-bar'\n", "kind = 'tabular'\n", "é", "\U0001f600",
]  # fmt: skip
TEXTS = [
    """
name = "two-hills"
[grid]
shape = [4, 5]
bounds = [[0.0, 1.0], [0.0, 2.0]]
boundary = "reflecting"
blocked = [{lower = [0.9, 0.3], upper = [1.1, 1.0]}]
[time]
horizon = 1.0
steps = 4
[dynamics]
viscosity = 0.01
[[coupling]]
kind = "congestion"
congestion = 0.1
reward = {bump = {amplitude = 2.0, width = 0.1, path = [[0.0, 0.2, 0.2], [1.0, 1.8, 0.8]]}}
[initial]
density = {bump = {width = 0.1, centre = [0.2, 0.2]}}
normalise = true
[terminal]
cost = [1.0, {box = {lower = [1.5, 0.0], upper = [2.0, 1.0], inside = -1.0}}]
""",
    """
[states]
names = ["a", "b"]
[time]
horizon = 2
steps = 2
[dynamics]
kind = "tabular"
transitions = [[[1.0, 0.0], [0.0, 1.0]], [[0.0, 1.0], [1.0, 0.0]]]
cost = [[0.0, 0.0], [0.1, 0.1]]
actions = ["stay", "go"]
[[coupling]]
kind = "price"
weight = 2.0
centre = [0, 0.1]
upper = 1.0
amounts = [[0, 0], [1, 1]]
[[coupling]]
kind = "interaction"
matrix = [[1.0, 0.5], [0.5, 1.0]]
[initial]
density = [0.5, 0.5]
""",
]


def mutated(text: str, dice: random.Random) -> str:
    """A few pieces put in, cut out, doubled, exchanged."""
    for _ in range(dice.randint(1, 2)):
        a, b = sorted(dice.randrange(len(text) + 1) for _ in range(2))
        b = min(b, a + 30)
        text = dice.choice([
            text[:a] + dice.choice(PIECES) + text[a:], text[:a] + text[b:], text[:b] + text[a:b] + text[b:],
            text[:a] + text[a:b][::-1] + text[b:],
        ])  # fmt: skip
        lines = text.split("\n")
        if dice.random() < 0.3:
            k = dice.randrange(len(lines))
            key, equals, _ = lines[k].partition("=")
            lines[k] = f"{key}{equals} {dice.choice(PIECES)}" if equals else lines[k]
            text = "\n".join(lines)
    return text


ODD: list[Any] = [
    -1, 0, 1, 2, 3.5, 1e308, -1e-320, 10**30, 2**63, math.nan, math.inf, True, "", "x", "\0", "x" * 5000, [], {}, [[]],
    [0.5], [1, 2], [[1.0, 2.0]], [[[1.0]]], {"array": "x"}, {"csv": "x.csv"}, {"bump": {}}, {"kind": "log"}, ["a", "a"],
    {"box": {"lower": [0.0], "upper": [1.0]}}, "periodic", "tabular", "lattice",
]  # fmt: skip


def restated(text: str, dice: random.Random) -> str:
    """The document with one or two values exchanged, left out or added."""
    document = tomllib.loads(text)
    for _ in range(dice.randint(1, 2)):
        place: Any = document
        while True:
            keys = list(place) if isinstance(place, dict) else list(range(len(place)))
            key = dice.choice(keys) if keys else None
            if key is None or not isinstance(place[key], dict | list) or dice.random() < 0.3:
                break
            place = place[key]
        if key is None:
            continue
        choice = dice.random()
        if choice < 0.7:
            place[key] = copy.deepcopy(dice.choice(ODD))
        elif choice < 0.85:
            del place[key]
        elif isinstance(place, dict):
            place[dice.choice(["x", "kind", "shape", "data", "é", "a.b", "on", "noise"])] = dice.choice(ODD)
    return dump_toml(document)


@pytest.mark.parametrize("seed", range(SEEDS))
def test_problem_texts(seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    dice, parsed = random.Random(seed), 0
    for _ in range(150):
        text = dice.choice(TEXTS)
        text = mutated(text, dice) if dice.random() < 0.4 else restated(text, dice)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            try:
                problem_from_toml(text)
                parsed += 1
            except mfg.InputError as error:
                parsed += "is not TOML" not in str(error)
            except Exception as error:
                raise AssertionError(f"{type(error).__name__}: {error}\n{text[:3000]!r}") from error
    assert parsed > 40


@pytest.mark.parametrize("seed", range(SEEDS))
def test_bytes_of_files(seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A problem file, a table, an archive: bytes overwritten, cut and doubled."""
    import numpy as np

    monkeypatch.chdir(tmp_path)
    np.savez("good.npz", P=np.array([[[1.0, 0], [0, 1]], [[0, 1.0], [1, 0]]]))
    tabular = TEXTS[1].replace(TEXTS[1].split("transitions = ")[1].split("\n")[0], '"P"')
    texts = {
        "p.toml": TEXTS[0].encode(),
        "start.csv": b"x,density\n0.25,1.0\n0.75,1.0\n",
        "game.npz": Path("good.npz").read_bytes(),
    }
    readers = {
        "p.toml": lambda: mfg.read_problem("p.toml"),
        "start.csv": lambda: mfg.read_density("start.csv", mfg.Grid.box((2,))),
        "game.npz": lambda: problem_from_toml('data = "game.npz"\n' + tabular),
    }
    dice = random.Random(seed)
    for name, content in texts.items():
        Path(name).write_bytes(content)
        readers[name]()
        for _ in range(60):
            damaged = bytearray(content)
            for _ in range(dice.randint(1, 6)):
                damaged[dice.randrange(len(damaged))] = dice.randrange(256)
            if dice.random() < 0.3:
                del damaged[dice.randrange(len(damaged)) :]
            Path(name).write_bytes(bytes(damaged))
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                try:
                    readers[name]()
                except mfg.InputError:
                    pass
                except Exception as error:
                    raise AssertionError(f"{type(error).__name__}: {error}\n{bytes(damaged)!r}") from error
