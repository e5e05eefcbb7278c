"""Learning without a centre: every table of its four parts, one after the other.

    python benchmarks/decentralised.py                         # all: about half an hour
    python benchmarks/decentralised.py --only auctions         # of games, diffusion, auctions, cooperation
    python benchmarks/decentralised.py --quick                 # fewer seeds and plays: for a look

The parts are programmes of their own: ``decentralised_games.py``, ``decentralised_diffusion.py``,
``decentralised_auctions.py`` and ``decentralised_cooperation.py`` beside this one.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path

PARTS: dict[str, list[str]] = {  # and what makes each of them quick
    "games": ["--quick"],
    "diffusion": ["--seeds", "1", "--only", "chains,speed"],
    "auctions": ["--quick"],
    "cooperation": [],
}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--quick", action="store_true", help="fewer seeds and plays")
    parser.add_argument("--only", default=",".join(PARTS), help="parts, with commas between them")
    words = parser.parse_args()
    chosen = [name.strip() for name in words.only.split(",")]
    for name in chosen:
        if name not in PARTS:
            parser.error(f"no part is called {name!r}; there are {', '.join(PARTS)}")
    for name in chosen:
        begun, here = time.perf_counter(), Path(__file__).parent
        print(f"\n== {name}\n", flush=True)
        options = PARTS[name] if words.quick else []
        subprocess.run([sys.executable, here / f"decentralised_{name}.py", *options], check=True)
        print(f"\n== {name}: {time.perf_counter() - begun:.0f} s", flush=True)


if __name__ == "__main__":
    main()
