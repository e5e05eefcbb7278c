"""The game of N agents beside its limit: exact regret, simulation, and the comparison of the two."""
