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

In a notebook `%load_ext nnc` brings the cell magic `%%nn`.
"""

import sys

from . import _nnc, frames
from ._nnc import NncError, __version__

__all__ = ["NncError", "Program", "Session", "compile", "compile_file", "__version__"]


class Program:
    """A program that was checked."""

    def __init__(self, program):
        self._program = program

    def session(self, threads=None, **rows):
        """A session with new parameters.

        Data items whose fields have types and no values are given by name: a dictionary of arrays by field, or a data
        frame of pandas or polars, whose columns are the fields. Names of a column become the numbers of a field that is
        a class; `Session.classes` has them.
        """
        given, classes = {}, {}
        for name, fields in rows.items():
            given[name], of_fields = frames.fields(self._program, name, fields)
            classes.update({f"{name}.{field}": names for field, names in of_fields.items()})
        return Session(self._program.session(given, threads), self, classes)

    @property
    def models(self):
        """The models by name: the types of their inputs by name."""
        return {name: dict(inputs) for name, inputs in self._program.models}

    @property
    def parameters(self):
        """The types of the parameters by path."""
        return dict(self._program.parameters)

    @property
    def warnings(self):
        """What was noticed when the program was checked."""
        return self._program.warnings

    def derive(self):
        """The gradient of every loss as a formula: what `nnc derive` prints."""
        return self._program.derive()

    def __repr__(self):
        models = ", ".join(f"{name}({', '.join(f'{i}: {t}' for i, t in inputs.items())})" for name, inputs in self.models.items())
        return f"<nnc.Program {models}>"

    def _repr_html_(self):
        from . import notebook

        return notebook.of_program(self)


class Session:
    """The parameters of a program, and what trains them. It works for one thread at a time."""

    def __init__(self, session, program, classes):
        self._session = session
        self._program = program
        self._classes = classes

    @property
    def program(self):
        """The program."""
        return self._program

    @property
    def classes(self):
        """Of fields that were given as names, `"DATA.FIELD"`: the names in the order of their numbers."""
        return {field: list(names) for field, names in self._classes.items()}

    def train(self, callback=None):
        """Carries out the trainings of the program.

        `callback` is called with a dictionary for each epoch; if it gives `False`, the training ends. The result has
        `steps`, `epochs`, `seconds`, `reason`, `train` and `validation` of the last training.
        """
        return self._session.train(callback)

    def run(self, callback=None):
        """Carries out the whole program; `printed` of the result is what it prints."""
        return self._session.run(callback)

    def evaluate(self, data):
        """Losses and metrics over the rows of a data item, such as `"rows.test"`."""
        return self._session.evaluate(data)

    def predict(self, model, *inputs):
        """What a model gives for inputs: an array, or a tuple of several.

        Inputs are arrays, lists, data frames, and what shares its memory by DLPack, such as tensors of PyTorch. They
        are read where they lie if their elements are those of the program and the last axis runs fastest.
        """
        return self._session.predict(model, *(frames.array(values) for values in inputs))

    def parameters(self):
        """Copies of all parameters and states by their paths."""
        return self._session.parameters()

    def set_parameter(self, path, values):
        """Puts values in the place of a parameter."""
        self._session.set_parameter(path, values)

    def load(self, path, prefix=""):
        """Reads parameters from a safetensors file, whose names may begin with a prefix."""
        self._session.load(path, prefix)

    def save(self, path):
        """Writes parameters, states and the progress of the training into a safetensors file."""
        self._session.save(path)

    def __repr__(self):
        return f"<nnc.Session of {self._program!r}>"

    def _repr_html_(self):
        return self._program._repr_html_()


def compile(text, *, name=None, folder=None):
    """Compiles the text of a program; paths in it are relative to `folder`.

    What is wrong is an `NncError`, whose text shows the places in the program.
    """
    return Program(_nnc.compile(text, name=name, folder=folder))


def compile_file(path):
    """Compiles a file."""
    return Program(_nnc.compile_file(path))


def load_ipython_extension(shell):
    """What `%load_ext nnc` calls in a notebook."""
    from . import notebook

    notebook.register(shell)


def _command():
    """The command `nnc`."""
    sys.exit(_nnc.command(["nnc", *sys.argv[1:]]))
