"""``python -m mfgsolve`` is the command ``mfgsolve``."""

from mfgsolve.cli import main

if __name__ == "__main__":
    main()
