"""The command line: `python -m nnc`."""

from . import _command

if __name__ == "__main__":
    _command()
