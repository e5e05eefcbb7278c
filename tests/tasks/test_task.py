"""Tasks by their names and parameters."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
import toy_tasks

from mfgsolve import methods
from mfgsolve.errors import InputError
from mfgsolve.methods import register
from mfgsolve.tasks import make_task
from mfgsolve.tasks.task import Task, parameters_of


def test_a_task_is_made_with_its_parameters():
    with toy_tasks.listed():
        assert make_task("coin", {"bias": 1}).parameters == {"bias": 1.0}
        with pytest.raises(InputError, match="unknown parameter of coin 'bais'; did you mean 'bias'"):
            make_task("coin", {"bais": 1})
        with pytest.raises(InputError, match="parameter bias of task coin"):
            make_task("coin", {"bias": "x"})
        with pytest.raises(InputError, match="'coins'"):
            make_task("coins")


def test_parameters_are_what_files_hold():
    @dataclass(frozen=True)
    class Odd(Task):
        size: tuple = ()

    with pytest.raises(InputError, match="Odd is no frozen dataclass"):
        parameters_of(Odd)


def test_a_name_is_taken_once():
    with toy_tasks.listed():

        @dataclass(frozen=True)
        class Other(Task):
            name = "coin"

        with pytest.raises(InputError, match="taken by toy_tasks"):
            register("coin", Other)
        register("coin", toy_tasks.Coin)  # the same class again
        assert "mean" not in methods.LEARNERS
    with pytest.raises(InputError, match="calls itself 'coin'"):
        register("coins", Other)
