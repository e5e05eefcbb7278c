"""Threads of BLAS during a solve: one where blocks are small, and what there was before after the last of them."""

from types import SimpleNamespace

import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from mfgsolve.solvers.blas import LARGE_BLOCK, blas_threads


def state(width, has_tables=True):
    return SimpleNamespace(game=SimpleNamespace(step=SimpleNamespace(has_tables=has_tables), width=width))


def threads():
    return {library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"}


@pytest.fixture
def two_threads():
    with threadpool_limits(limits=2, user_api="blas"):
        if threads() != {2}:
            pytest.skip("BLAS has no two threads here")
        yield


def test_small_blocks_have_one_thread_until_the_last_solve_ends(two_threads):
    first, second = blas_threads(state(10)), blas_threads(state(20))
    with first:
        assert threads() == {1}
        second.__enter__()
    assert threads() == {1}
    second.__exit__(None, None, None)
    assert threads() == {2}


@pytest.mark.parametrize("given", [state(LARGE_BLOCK), state(10, has_tables=False), SimpleNamespace()])
def test_all_others_keep_theirs(two_threads, given):
    with blas_threads(given):
        assert threads() == {2}


def test_an_error_gives_them_back(two_threads):
    with pytest.raises(ZeroDivisionError), blas_threads(state(10)):
        raise ZeroDivisionError
    assert threads() == {2}
