"""Facts of the engine of MAgent2 on which the games of battle rest."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("magent2", reason="MAgent2 is not installed; it comes with: pip install 'mfgsolve[magent2]'")

from mfgsolve.learners.battles.engine import Engine, _configured, offsets
from mfgsolve.learners.battles.rules import GATHERING, MULTI_TEAM, PREDATOR_PREY

STAY, RIGHT = 6, 19  # do nothing; attack the cell on the right
NOBODY = np.zeros((0, 2), dtype=np.int64)
AWAY = [np.array([[13, 13]]), np.array([[13, 2]])]


def started(places, rules=MULTI_TEAM):
    engine = Engine(rules, 16)
    engine.begin([np.array(each).reshape(-1, 2) for each in places], seed=1)
    return engine


def acts(engine, *actions, first=0):
    engine.clear()
    engine.act([np.array(each, dtype=np.int32) for each in actions], first)


def test_actions_are_the_discs_of_speed_and_reach():
    engine = started([[(5, 5)], [(9, 9)], *AWAY])
    assert engine.actions(0) == 25
    assert engine.attack_base(0) == 13
    assert Engine(PREDATOR_PREY, 16).actions(2) == len(offsets(2.5, True)) == 21
    for number, offset in enumerate(offsets(2.0, True).tolist()):
        engine.begin([np.array([[5, 5]]), np.array([[9, 9]]), *AWAY], 1)
        acts(engine, [number], [STAY], [STAY], [STAY])
        assert (engine.positions(0)[0] - 5).tolist() == offset
    assert offsets(2.0, True)[STAY].tolist() == [0, 0]


@pytest.mark.parametrize("number", range(12))
def test_attacks_are_offsets_from_the_base(number):
    dx, dy = offsets(2.0, False)[number]
    engine = started([[(5, 5)], [(5 + dx, 5 + dy)], *AWAY])
    acts(engine, [13 + number], [STAY], [STAY], [STAY])
    assert engine.rewards(0) == pytest.approx([0.2 - 0.1 - 0.01])
    assert engine.powers(1) == pytest.approx([0.81])  # of 10: 2 are lost, 0.1 comes back


def test_the_price_of_an_attack_is_paid_on_hits_and_on_nobody():
    engine = started([[(5, 5), (5, 9)], [(6, 5)], *AWAY])
    acts(engine, [RIGHT, RIGHT], [STAY], [STAY], [STAY])
    assert engine.rewards(0) == pytest.approx([0.2 - 0.11, -0.11])


def test_recovery_makes_a_kill_of_one_six_blows_and_the_last_blow_pays_the_kill_alone():
    engine = started([[(5, 5)], [(6, 5)], *AWAY])
    paid = []
    for _ in range(6):
        acts(engine, [RIGHT], [STAY], [STAY], [STAY])
        paid.append(engine.rewards(0).item())
    assert paid == pytest.approx([0.09] * 5 + [80.0 - 0.11])
    assert engine.rewards(1) == pytest.approx([-1.0])  # instead of everything before: no -0.01 on top
    assert not engine.survivors(1).any()


AROUND = [(4, 5), (6, 5), (5, 4), (5, 6), (3, 5), (7, 5)]
ON_THE_MIDDLE = [13 + offsets(2.0, False).tolist().index([5 - x, 5 - y]) for x, y in AROUND]


def test_an_agent_of_no_power_lives_and_the_sixth_blow_is_the_one_kill():
    engine = started([AROUND[:5], [(5, 5)], *AWAY])
    acts(engine, ON_THE_MIDDLE[:5], [STAY], [STAY], [STAY])
    assert engine.rewards(0) == pytest.approx([0.09] * 5)
    assert engine.powers(1) == pytest.approx([0.01])  # 0, and what came back
    engine = started([AROUND, [(5, 5)], *AWAY])
    acts(engine, ON_THE_MIDDLE, [STAY], [STAY], [STAY])
    assert sorted(engine.rewards(0)) == pytest.approx([0.09] * 5 + [79.89])


def test_a_death_replaces_what_the_step_cost_and_what_rules_pay_is_on_top():
    engine = started([AROUND, [(5, 5)], *AWAY])
    hit = None
    for seed in range(20):  # until the victim strikes before the sixth blow falls
        engine.begin([np.array(AROUND), np.array([[5, 5]]), *AWAY], seed)
        acts(engine, ON_THE_MIDDLE, [RIGHT], [STAY], [STAY])
        reward, alive = engine.rewards(1), engine.survivors(1)
        assert not alive.any()
        assert reward == pytest.approx([-0.6]) or reward == pytest.approx([-1.0])  # 0.4 for the hit, none of its price
        hit = hit or reward.item() > -0.9
    assert hit


def test_rewards_add_up_until_the_dead_are_cleared():
    engine = started([[(5, 5)], [(9, 9)], *AWAY])
    for count in (1, 2):
        engine.act([np.array([RIGHT], np.int32)] * 4)
        assert engine.rewards(0) == pytest.approx([-0.01 - 0.1 * count])
    engine.clear()
    engine.act([np.array([RIGHT], np.int32)] * 4)
    assert engine.rewards(0) == pytest.approx([-0.11])


def test_kill_reward_and_a_rule_of_kills_would_add_up():
    import magent2

    config = _configured(magent2.gridworld, MULTI_TEAM, 16, 2.0)
    config.agent_type_dict["b"]["kill_reward"] = 7.0
    grid = magent2.GridWorld(config)
    a, b, *_ = grid.get_handles()
    grid.reset()
    grid.add_agents(a, method="custom", pos=[(5, 5)])
    grid.add_agents(b, method="custom", pos=[(6, 5)])
    for _ in range(6):
        grid.clear_dead()
        grid.set_action(a, np.array([RIGHT], np.int32))
        grid.set_action(b, np.array([STAY], np.int32))
        grid.step()
    assert grid.get_reward(a) == pytest.approx([87.0 - 0.11])


def test_a_configuration_serves_one_engine_alone():
    import magent2

    config = _configured(magent2.gridworld, MULTI_TEAM, 16, 2.0)
    magent2.GridWorld(config)
    assert "view_range" not in config.agent_type_dict["a"]  # the first engine has eaten it
    with pytest.raises(KeyError):
        config.agent_type_dict["a"]["attack_range"]
    assert Engine(MULTI_TEAM, 16).actions(0) == Engine(MULTI_TEAM, 16).actions(0) == 25


def test_numbers_stay_and_rows_close_up():
    engine = started([[(5, 5), (2, 2)], [(6, 5), (9, 9), (10, 10)], *AWAY])
    for _ in range(6):
        acts(engine, [RIGHT, STAY], [STAY] * 3, [STAY], [STAY])
    engine.clear()
    assert engine.numbers(0).tolist() == [0, 1]
    assert engine.numbers(1).tolist() == [3, 4]  # number 2 is dead, the others keep theirs
    assert engine.positions(1).tolist() == [[9, 9], [10, 10]]
    engine.begin([np.array([[1, 1]])] * 1 + [np.array([[2, 2]]), *AWAY], 0)
    assert engine.numbers(1).tolist() == [1]  # they start anew


@pytest.mark.parametrize(("first", "moved"), [(0, 0), (1, 1), (2, 0), (3, 0)])
def test_groups_move_in_the_order_in_which_their_actions_come(first, moved):
    engine = started([[(5, 5)], [(7, 5)], *AWAY])
    acts(engine, [7], [5], [STAY], [STAY], first=first)  # both to (6, 5)
    assert engine.positions(moved).tolist() == [[6, 5]]
    assert engine.positions(1 - moved).tolist() == [[7, 5] if moved == 0 else [5, 5]]


def test_whose_attack_comes_first_is_left_to_chance():
    killed = set()
    engine = started([[(5, 5)], [(6, 5)], *AWAY])
    for seed in range(8):
        engine.begin([np.array([[5, 5]]), np.array([[6, 5]]), *AWAY], seed)
        for _ in range(6):
            acts(engine, [RIGHT], [18], [STAY], [STAY])
        killed.add((engine.survivors(0).item(), engine.survivors(1).item()))
    assert killed == {(True, False), (False, True)}


def test_an_occupied_cell_and_a_wall_are_counted():
    for places in ([(5, 5), (5, 5)], [(0, 5)], [(15, 5)], [(5, 15)]):
        with pytest.raises(RuntimeError, match="the engine placed"):
            started([places, [(9, 9)], *AWAY])


def test_views_are_copies_and_relative():
    engine = started([[(5, 5)], [(6, 5)], *AWAY])
    before = engine.view(0)
    acts(engine, [RIGHT], [STAY], [STAY], [STAY])
    after = engine.view(0)
    assert before[0, 2, 3].tolist() == [0, 0, 0, 1, 1, 0, 0, 0, 0]  # the next group, with full power
    assert after[0, 2, 3, 4] == pytest.approx(0.81)
    assert before[0, 2, 3, 4] == 1.0
    seen = engine.view(1)[0, 2, 1]
    assert seen[1:].tolist() == [0, 0, 0, 0, 0, 0, 1, 1]  # a is the third after b
    assert np.shares_memory(engine._grid.get_observation(engine._handles[0])[0], engine._grid.obs_bufs[0][0])


def test_the_engine_goes_on_when_a_group_is_gone():
    engine = started([[(5, 5)], NOBODY, *AWAY])
    assert engine.positions(1).shape == (0, 2)
    assert engine.powers(1).shape == (0,)
    for _ in range(3):
        acts(engine, [7], [], [STAY], [STAY])
    assert engine.positions(0).tolist() == [[8, 5]]


@pytest.mark.parametrize("gone", ["a group", "food", "nobody"])
def test_the_engine_calls_it_done_when_any_one_group_is_gone_and_steps_on(gone):
    """Food is a group to it: so this is not asked, see `Engine.act`."""
    places = [[(5, 5)], NOBODY if gone == "a group" else [(9, 9)], *AWAY, NOBODY if gone == "food" else [(3, 3)]]
    engine = started(places, GATHERING)
    for x in (6, 7):
        for g, each in enumerate(places):
            to_the_right = np.full(len(each), (7, STAY, STAY, STAY, 0)[g], dtype=np.int32)
            engine._grid.set_action(engine._handles[g], to_the_right)
        assert engine._grid.step() is (gone != "nobody")
        engine.clear()
        assert engine.positions(0).tolist() == [[x, 5]]


def test_food_is_hit_and_captured():
    engine = started([[(5, 5)], [(9, 9)], *AWAY, [(6, 5)]], GATHERING)
    paid = []
    for _ in range(6):
        acts(engine, [RIGHT], [STAY], [STAY], [STAY], [0])
        paid.append(engine.rewards(0).item())
    assert paid == pytest.approx([0.5 - 0.11] * 5 + [80.0 - 0.11])  # it does not recover, and lives at power 0
    assert engine.view(0).shape[-1] == 11


def test_chance_begins_anew_with_every_seed():
    def run(seed, engine):
        rng = np.random.default_rng(3)
        cells = rng.permutation(14 * 14)[:80]
        places = np.stack([cells % 14 + 1, cells // 14 + 1], axis=1).reshape(4, 20, 2)
        engine.begin(list(places), seed)
        for _ in range(20):
            engine.act([rng.integers(25, size=len(engine.positions(g))).astype(np.int32) for g in range(4)])
            engine.clear()
        return [engine.positions(g).tolist() for g in range(4)]

    engine = Engine(MULTI_TEAM, 16)
    first = run(5, engine)
    assert run(5, engine) == first == run(5, Engine(MULTI_TEAM, 16))


def test_without_a_seed_the_engine_takes_0_and_a_reset_does_not_start_chance_again():
    import magent2

    def scattered(seed, resets=1):
        config = _configured(magent2.gridworld, MULTI_TEAM, 16, 2.0)
        del config.config_dict["seed"]
        grid = magent2.GridWorld(config)
        for _ in range(resets):
            if seed is not None:
                grid.set_seed(seed)
            grid.reset()
            grid.add_agents(grid.get_handles()[0], method="random", n=20)
        return grid.get_pos(grid.get_handles()[0]).tolist()

    assert scattered(None) == scattered(None) == scattered(0) != scattered(2)  # 0 and 1 are the same to it
    assert scattered(None, resets=2) != scattered(None)  # a second episode is another one
    assert scattered(0, resets=2) == scattered(0)  # unless the seed is set before


def test_kinds_are_taken_over():
    tough = replace(MULTI_TEAM, kinds=(replace(MULTI_TEAM.kinds[0], damage=5.0, recovery=0.0),) * 4)
    engine = started([[(5, 5)], [(6, 5)], *AWAY], tough)
    acts(engine, [RIGHT], [STAY], [STAY], [STAY])
    assert engine.powers(1) == pytest.approx([0.5])
