"""``python -m mfgsolve`` is the command ``mfgsolve``; Ctrl-C is answered in one sentence from the first moment on."""

import sys
from typing import NoReturn

import mfgsolve


def main() -> NoReturn:
    """Entry point of the command."""
    mfgsolve.lasting = True
    try:
        from mfgsolve.command.application import main as run
    except KeyboardInterrupt:
        sys.stderr.write("Stopped: interrupted\n")
        sys.exit(130)
    run()


if __name__ == "__main__":
    main()
