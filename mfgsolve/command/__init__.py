"""The command ``mfgsolve``: words of the command line, checks before a solve, the live line, what is printed."""
