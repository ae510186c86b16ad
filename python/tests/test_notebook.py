"""The notebook runs, and shows what it is to show."""

import pathlib

import pytest

NOTEBOOK = pathlib.Path(__file__).parent.parent / "notebook.ipynb"


def html_of(cell):
    return "".join("".join(output.get("data", {}).get("text/html", "")) for output in cell.get("outputs", []))


def run(cells):
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    if cells is not None:
        notebook.cells = [nbformat.v4.new_code_cell(text) for text in cells]
    nbclient.NotebookClient(notebook, timeout=300, kernel_name="python3", allow_errors=cells is not None).execute()
    return notebook.cells


def test_the_notebook_runs():
    shown = [html_of(cell) for cell in run(None)]
    assert any("linear1.weight" in html and "[16, 4]" in html and "<details>" in html for html in shown)
    assert any("<svg" in html and "validation" in html for html in shown)


def test_errors_in_cells_show_the_program():
    cells = run(["%load_ext nnc", "%%nn\nmodel Net(x: [B, 2]) -> [B, 3] = x |> Linear(4)"])
    (output,) = cells[1].outputs
    assert output["ename"] == "NncError" and "Linear(4)" in output["evalue"]
