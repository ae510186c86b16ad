"""Notebooks: the cell magic `%%nn`, programs as tables and formulas, and curves that grow while a training runs.

    %load_ext nnc

    %%nn program
    model Net(x: [B, 4]) -> [B, 3] { x |> Linear(16) |> relu |> Linear(3) }
    ...
"""

import html

import nnc


def register(shell):
    """Gives a shell of IPython the cell magic."""

    def nn(line, cell):
        """Compiles the cell; the program is bound to the name in the line, `program` without one."""
        name = line.strip() or "program"
        if not name.isidentifier():
            raise nnc.NncError(f"`%%nn {name}`: a name for the program is needed, as in `%%nn program`")
        program = nnc.compile(cell, name=f"%%nn {name}")
        shell.user_ns[name] = program
        return program

    shell.register_magic_function(nn, magic_kind="cell")


def of_program(program):
    """A program as HTML: its models, its parameters with their shapes, and the gradients of its losses."""
    models = [(name, ", ".join(f"{field}: {ty}" for field, ty in inputs.items())) for name, inputs in program.models.items()]
    parts = [_table(("model", "inputs"), models)]
    if program.parameters:
        parts.append(_table(("parameter", "shape"), program.parameters.items()))
    formulas = program.derive()
    if formulas:
        parts.append(f"<details><summary>gradients</summary><pre>{html.escape(formulas)}</pre></details>")
    return "".join(parts)


def _table(head, rows):
    cells = "".join(f"<th>{html.escape(word)}</th>" for word in head)
    body = "".join("<tr>" + "".join(f"<td><code>{html.escape(str(cell))}</code></td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{cells}</tr></thead><tbody>{body}</tbody></table>"


class Curves:
    """A callback that draws the losses of epochs, anew after each.

    >>> session.train(nnc.notebook.Curves())                                # doctest: +SKIP
    """

    def __init__(self):
        self.train, self.validation = [], []
        self._display = None

    def __call__(self, epoch):
        """Takes the report of an epoch."""
        self.train.append(epoch["train"]["loss"])
        if "validation" in epoch:
            self.validation.append(epoch["validation"]["loss"])
        from IPython.display import display

        if self._display is None:
            self._display = display(self, display_id=True)
        else:
            self._display.update(self)

    def _repr_html_(self):
        return self.svg()

    def svg(self, width=480, height=200):
        """The curves as an image."""
        lines = [("train", "#1f77b4", self.train), ("validation", "#d62728", self.validation)]
        finite = [loss for _, _, losses in lines for loss in losses if abs(loss) < float("inf")]
        least, most = (min(finite), max(finite)) if finite else (0.0, 1.0)
        span = (most - least) or 1.0
        last = max(len(self.train) - 1, 1)
        drawn = []
        for at, (name, colour, losses) in enumerate(lines):
            if not losses:
                continue
            points = " ".join(
                f"{50 + (width - 60) * epoch / last:.1f},{10 + (height - 40) * (1 - (loss - least) / span):.1f}"
                for epoch, loss in enumerate(losses)
                if abs(loss) < float("inf")
            )
            drawn.append(f'<polyline fill="none" stroke="{colour}" stroke-width="1.5" points="{points}"/>')
            drawn.append(f'<text x="{60 + 160 * at}" y="{height - 8}" fill="{colour}">{name} {losses[-1]:.4g}</text>')
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" font-size="11" font-family="sans-serif">'
            f'<rect x="50" y="10" width="{width - 60}" height="{height - 40}" fill="none" stroke="#ccc"/>'
            f'<text x="46" y="16" text-anchor="end">{most:.3g}</text>'
            f'<text x="46" y="{height - 30}" text-anchor="end">{least:.3g}</text>' + "".join(drawn) + "</svg>"
        )
