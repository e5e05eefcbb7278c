"""Recipes are run by `tests/test_recipes.py`, each by itself; importing one would enter its problem in the list."""

collect_ignore_glob = ["*.py"]
