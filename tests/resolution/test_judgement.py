"""What is kept of a number of steps, and how it is told."""

from __future__ import annotations

from mfgsolve.resolution import Judgement


def test_a_stated_number_needs_no_sentence() -> None:
    assert Judgement(7).sentence == ""


def test_a_chosen_one_says_what_it_was_chosen_from() -> None:
    assert Judgement(7, chosen=True).sentence == "7, chosen from the game"
    upwind = Judgement(7, True, 0.1, 0.2, 0.3)
    assert upwind.sentence.startswith("7, chosen from the speeds of the game (they change the potential by about 0.1")
    assert "chosen from the noise" in Judgement(7, True, 0.1, 0.2, 0.3, space_error=1e-3).sentence


def test_only_entropic_steps_have_errors_of_noise_in_a_dataset() -> None:
    assert list(Judgement(7).attributes) == ["steps_chosen", "steps_potential_change", "steps_flow_change"]
    assert Judgement(7, space_error=1e-3, own_viscosity=0.1).attributes["steps_space_error"] == 1e-3
