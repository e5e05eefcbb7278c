"""Occupations to try things on."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st

few = settings(max_examples=25, deadline=None)


seeds = st.integers(0, 2**31)
