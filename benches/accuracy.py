"""How far 32 bits are from 64: nnc and PyTorch on the same networks, from the same start.

    cargo build --release
    python3 benches/accuracy.py [NAME …]            the table of docs/accuracy.md
    python3 benches/accuracy.py --torch [NAME …]    measures PyTorch, too, and keeps its figures

Each network of models/literature has a reference, a training in 64 bits by PyTorch. A distance is the greatest
difference of a loss relative to the loss, or of a parameter relative to the largest number of its tensor. A ratio is
nnc's distance in 32 bits over PyTorch's own. Needs `pip install numpy`; `--torch` needs `pip install torch`.
"""

import argparse
import contextlib
import csv
import io
import json
import runpy
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PROGRAMS = ROOT / "models/literature"
MAKERS = ROOT / "tests/golden/tools/literature"
TORCH = PROGRAMS / "float32.csv"


def torch_figures(names):
    """Runs the PyTorch programs in 32 bits: name -> (loss, parameters)."""
    sys.argv, figures = ["", "--float32"], {}
    for name in names:
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            runpy.run_path(str(MAKERS / f"{name}.py"))
        line = json.loads(out.getvalue().splitlines()[-1])
        figures[name] = (line["loss"], line["parameters"])
    return figures


def kept_figures():
    with open(TORCH, newline="") as file:
        return {row["name"]: (float(row["loss"]), float(row["parameters"])) for row in csv.DictReader(file)}


def keep(figures):
    with open(TORCH, "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["name", "loss", "parameters"])
        writer.writerows(
            (name, f"{loss:.1e}", f"{parameters:.1e}") for name, (loss, parameters) in sorted(figures.items())
        )


def nnc_figures(nnc, name, precision, distance, load):
    """Trains a program with nnc: (loss, parameters)."""
    with tempfile.TemporaryDirectory() as folder:
        saved = Path(folder) / "end.safetensors"
        command = [nnc, "run", PROGRAMS / f"{name}.nn", "--precision", precision, "--events", "json", "--every", "1"]
        done = subprocess.run([*map(str, command), "--save", str(saved)], capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"{name}: {done.stderr}{done.stdout}")
        events = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
        losses = [event["losses"][0] for event in events if event["event"] == "step"]
        return distance(load(PROGRAMS / f"{name}.safetensors"), losses, load(saved))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="networks; all by default")
    parser.add_argument("--torch", action="store_true", help="measure PyTorch, too")
    parser.add_argument("--nnc", default=ROOT / "target/release/nnc", help="the program under test")
    chosen = parser.parse_args()
    sys.path.insert(0, str(MAKERS))
    from distance import distance, load

    names = chosen.names or sorted(path.stem for path in PROGRAMS.glob("*.nn"))
    figures = kept_figures() if TORCH.exists() else {}
    if chosen.torch:
        figures |= torch_figures(names)
        keep(figures)
    print("| network | loss: nnc | PyTorch | ratio | parameters: nnc | PyTorch | ratio | 64 bits |")
    print("|---|---:|---:|---:|---:|---:|---:|---:|")
    ratios = ([], [])
    for name in names:
        found = nnc_figures(chosen.nnc, name, "f32", distance, load)
        double = max(nnc_figures(chosen.nnc, name, "f64", distance, load))
        cells = []
        for at, theirs in enumerate(figures[name]):
            ratios[at].append(found[at] / theirs)
            cells += [f"{found[at]:.1e}", f"{theirs:.1e}", f"{ratios[at][-1]:.1f}"]
        print(f"| {name} | {' | '.join(cells)} | {double:.0e} |")
    print(
        f"\nMedian ratio: {statistics.median(ratios[0]):.2f} for losses, {statistics.median(ratios[1]):.2f} for parameters."
    )


if __name__ == "__main__":
    main()
