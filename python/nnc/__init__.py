"""A compiler for neural networks: programs in text, trained in native code.

>>> import nnc, numpy
>>> program = nnc.compile('''
...     model Net(x: [B, 2]) -> [B, 1] { x |> Linear(8) |> tanh |> Linear(1) }
...     data rows {
...         x: [2]
...         y: [1]
...     }
...     train {
...         data     = rows
...         minimize mse(Net(x), y) with Adam(lr = 0.05)
...         batch    = 4
...         epochs   = 200
...     }
... ''')
>>> x = numpy.array([[0, 0], [0, 1], [1, 0], [1, 1]], dtype=numpy.float32)
>>> session = program.session(rows={"x": x, "y": x.sum(axis=1, keepdims=True)})
>>> report = session.train()
>>> session.predict("Net", x).shape
(4, 1)
"""

import sys

from . import _nnc
from ._nnc import NncError, Session, __version__

__all__ = ["NncError", "Program", "Session", "compile", "compile_file", "__version__"]


class Program:
    """A program that was checked."""

    def __init__(self, program):
        self._program = program

    def session(self, threads=None, **rows):
        """A session with new parameters.

        Data items whose fields have types and no values are given by name: a dictionary of arrays by field, or a data
        frame, whose columns are the fields.
        """
        given = {name: _fields(name, fields) for name, fields in rows.items()}
        return self._program.session(given, threads)

    @property
    def models(self):
        """The models by name: the types of their inputs by name."""
        return {name: dict(inputs) for name, inputs in self._program.models}

    @property
    def warnings(self):
        """What was noticed when the program was checked."""
        return self._program.warnings

    def __repr__(self):
        models = ", ".join(f"{name}({', '.join(f'{i}: {t}' for i, t in inputs.items())})" for name, inputs in self.models.items())
        return f"<nnc.Program {models}>"


def compile(text, *, name=None, folder=None):
    """Compiles the text of a program; paths in it are relative to `folder`.

    What is wrong is an `NncError`, whose text shows the places in the program.
    """
    return Program(_nnc.compile(text, name=name, folder=folder))


def compile_file(path):
    """Compiles a file."""
    return Program(_nnc.compile_file(path))


def _fields(name, fields):
    if hasattr(fields, "columns"):
        return {str(column): fields[column].to_numpy() for column in fields.columns}
    if hasattr(fields, "items"):
        return {str(field): values for field, values in fields.items()}
    raise TypeError(f"`{name}` is given by a dictionary of arrays or a data frame, not by {type(fields).__name__}")


def _command():
    """The command `nnc`."""
    sys.exit(_nnc.command(["nnc", *sys.argv[1:]]))
