#!/usr/bin/env python3
"""How time and memory grow: `python3 benches/growth.py` prints tables, and fails if something grows too fast.

Of the times of a step the one that a tenth is faster than counts.

| what | should |
|---|---|
| a step, with the rows of its batch | take the same time for each row |
| a step, with the layers of a network | take the same time for each layer |
| compilation, with distinct layers | take the same time for each layer |
| memory | be at most 1.3 times the tensors that are alive together |
"""

import argparse
import json
import math
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
WORKLOADS = ["mnist_mlp", "wide_mlp", "deep_mlp", "logreg", "lenet5", "cnn", "lstm", "gpt", "pinn"]

# Exponents above this are called too fast: 1 is linear, and caches that no longer hold everything add a little.
MOST_EXPONENT = 1.2
MOST_MEMORY = 1.3
# What the code of a network takes, and what its compiler leaves behind, beside what those of the empty program do.
CODE_MB = 4

PROGRAM = """
{layers}
model Net(x: [B, {width}]) -> [B, 10] {{
    {body}
}}
data made {{
    rows = {batch}
    x: [{width}] = uniform(0, 1)
    y: class(10) = int(uniform(0, 10))
}}
train {{
    data     = made
    minimize cross_entropy(Net(x), y) with SGD(lr = 0.01)
    batch    = {batch}
    steps    = 1
    shuffle  = false
}}
"""


def equal_layers(n, width, batch):
    """n layers that are one piece of source."""
    layers = "layer Hidden(out)(x: [B, n]) -> [B, out] { x |> Linear(out) |> tanh }"
    body = f"x |> repeat({n}, Hidden({width})) |> Linear(10)"
    return PROGRAM.format(layers=layers, body=body, width=width, batch=batch)


def distinct_layers(n, width, batch):
    """n layers of which no two have the same sizes."""
    stages = [f"|> Linear({width + at + 1}) |> tanh" for at in range(n)]
    return PROGRAM.format(layers="", body="\n    ".join(["x", *stages, "|> Linear(10)"]), width=width, batch=batch)


class Growth:
    def __init__(self, options):
        self.options = options
        self.offenders = []

    def bench(self, program, *arguments):
        name = "-" if "\n" in program else program
        command = [self.options.nnc, "bench", name, "--json", "--threads", "1", *arguments]
        run = subprocess.run(command, input=program, capture_output=True, text=True)
        if run.returncode != 0:
            sys.exit(run.stderr)
        return json.loads(run.stdout)

    def series(self, title, unit, key, scale, sizes, program):
        """One table; `program` makes a text for each size."""
        print(f"\n### {title}\n\n| {unit} | {key} | for each |\n|---:|---:|---:|")
        found = []
        for size in sizes:
            value = self.bench(program(size), "--seconds", str(self.options.seconds))[scale]
            found.append((size, value))
            print(f"| {size} | {value:.4g} | {value / size:.4g} |", flush=True)
        # Of the larger ones: small ones have costs that do not grow.
        (first, low), (last, high) = found[len(found) // 2 - 1], found[-1]
        exponent = math.log(high / low) / math.log(last / first)
        print(f"\nFrom {first} to {last} it grows with the power {exponent:.2f}.")
        if exponent > MOST_EXPONENT:
            self.offenders.append(f"{title}: power {exponent:.2f}")

    def memory(self):
        print("\n### Memory\n\nMB. Temporaries: the arena, over what of it is in use at one time at the most.")
        print("Process: its most memory but for that of a program without tensors to speak of, over variables,")
        print("batch and live temporaries.\n")
        print("| workload | variables and batch | live temporaries | arena | ratio | process | ratio |")
        print("|---|---:|---:|---:|---:|---:|---:|")
        quick = ("--seconds", "0.2")
        empty = self.bench(str(HERE / "xor.nn"), *quick)["peak_mb"]
        for name in WORKLOADS:
            found = self.bench(str(HERE / f"{name}.nn"), *quick)
            tensors, live, arena = found["tensors_mb"], found["live_temporaries_mb"], found["temporaries_mb"]
            process = found["peak_mb"] - empty
            arena_ratio = arena / live if live else 1.0
            ratio = process / (tensors + live)
            cells = [f"{tensors:.2f}", f"{live:.2f}", f"{arena:.2f}", f"{arena_ratio:.2f}", f"{process:.1f}", f"{ratio:.2f}"]
            print("| " + " | ".join([name, *cells]) + " |", flush=True)
            if arena_ratio > MOST_MEMORY:
                self.offenders.append(f"temporaries of {name}: {arena_ratio:.2f} times what is alive")
            # A few MB are code and tables of the compiler.
            if ratio > MOST_MEMORY and process > tensors + live + CODE_MB:
                self.offenders.append(f"memory of {name}: {ratio:.2f} times its tensors")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nnc", type=Path, default=HERE.parent / "target" / "release" / "nnc")
    parser.add_argument("--seconds", type=float, default=0.5)
    options = parser.parse_args()
    growth = Growth(options)
    # Not the median: where processes take turns, that has the time of others in it once steps are longer than turns.
    step = lambda title, unit, sizes, program: growth.series(title, unit, "µs a step", "p10_us", sizes, program)
    compilation = lambda title, sizes, program: growth.series(title, "layers", "ms", "compile_ms", sizes, program)
    step("A step and its batch", "rows", [16, 32, 64, 128, 256, 512, 1024], lambda n: equal_layers(4, 128, n))
    step("A step and its depth", "layers", [4, 8, 16, 32, 64, 128], lambda n: equal_layers(n, 64, 32))
    compilation("Compilation of equal layers", [4, 8, 16, 32, 64, 128], lambda n: equal_layers(n, 64, 32))
    compilation("Compilation of distinct layers", [4, 8, 16, 32, 64], lambda n: distinct_layers(n, 48, 32))
    growth.memory()
    print()
    for offender in growth.offenders:
        print(f"- grows too fast: {offender}")
    if growth.offenders:
        sys.exit(1)
    print("Everything grows as it should.")


if __name__ == "__main__":
    main()
