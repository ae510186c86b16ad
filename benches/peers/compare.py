#!/usr/bin/env python3
"""nnc, PyTorch and JAX on the workloads `benches/*.nn`, in turns in one run; the ratios as Markdown.

    python3 benches/peers/compare.py                        # everything: an hour on a quiet machine
    python3 benches/peers/compare.py mnist_mlp gpt --threads 1 --peers torch-eager jax-jit
    python3 benches/peers/compare.py --only load

The first run makes a virtual environment (3 GB) beside this file, or where `--venv` says. Contenders are started
one after another and then measured in turns, round by round, so that a machine that gets slower gets slower
for all. Every measurement is a line of the file of `--out`.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

from workloads import ALL, INFERENCE, OTHER_SIZES, WORKLOADS

HERE = Path(__file__).resolve().parent
PEERS = ["torch-eager", "torch-eager-last", "torch-compile", "jax-jit", "jax-scan"]
PARTS = ["training", "inference", "load"]


class Peer:
    """A process that measures when it is told to: see rounds.py."""

    def __init__(self, command):
        begun = time.perf_counter()
        pipes = dict(stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        # Compiled code of an earlier run would hide what compiling costs.
        environment = dict(os.environ, TORCHINDUCTOR_FORCE_DISABLE_CACHES="1")
        self.process = subprocess.Popen([str(part) for part in command], cwd=HERE, env=environment, **pipes)
        self.start = self.read()
        self.start["first_step_ms"] = 1e3 * (time.perf_counter() - begun)

    def read(self):
        line = self.process.stdout.readline()
        return json.loads(line) if line else dict(error="ended without an answer")

    def measure(self, seconds):
        if "error" in self.start:
            return self.start
        self.process.stdin.write(f"{seconds}\n")
        self.process.stdin.flush()
        return {**self.start, **self.read()}

    def stop(self):
        self.process.stdin.close()
        self.process.wait()


class Nnc:
    """`nnc bench`, a new process each time."""

    def __init__(self, command):
        self.command = [str(part) for part in command]

    def measure(self, seconds):
        run = subprocess.run([*self.command, "--json", "--seconds", str(seconds)], capture_output=True, text=True)
        if run.returncode != 0:
            return dict(error=(run.stderr.strip() or f"exit code {run.returncode}")[:200])
        found = json.loads(run.stdout)
        return {"step_us": found.get("predict_us"), **found}

    def stop(self):
        pass


class Comparison:
    def __init__(self, options):
        self.options = options
        self.python = environment(options.venv)
        self.out = open(options.out, "a", encoding="utf-8") if options.out else None

    def contender(self, name, workload, threads, predict=False):
        program = HERE.parent / f"{workload}.nn"
        if name == "nnc":
            return Nnc([self.options.nnc, "bench", program, "--threads", threads, *(["--predict", 1] if predict else [])])
        if name == "onnxruntime":
            return Peer([self.python, HERE / "onnx_peer.py", workload, threads])
        framework, mode = name.split("-", 1)
        return Peer([self.python, HERE / f"{framework}_peer.py", mode, workload, threads])

    def rounds(self, part, workload, threads, names, between=lambda: None):
        """The medians over all rounds, by contender."""
        contenders = {}
        for name in names:
            self.say(f"{part}: {workload}, {threads} threads: {name}")
            contenders[name] = self.contender(name, workload, threads, predict=part == "inference")
        found = {name: [] for name in names}
        between()
        # What starts and what ends keeps processors busy for a while.
        time.sleep(2.0)
        for round in range(self.options.rounds):
            for name, contender in contenders.items():
                time.sleep(0.3)
                result = contender.measure(self.options.seconds)
                found[name].append(result)
                place = dict(part=part, workload=workload, threads=threads, contender=name, round=round)
                self.keep({**result, **place})
        for contender in contenders.values():
            contender.stop()
        return {name: medians(results, self.options.figure) for name, results in found.items()}

    def figure(self):
        of = "median step" if self.options.figure == "step_us" else "step that a tenth of all stayed below"
        return f"Medians over {self.options.rounds} rounds of the {of}, in µs."

    def keep(self, line):
        if self.out:
            self.out.write(json.dumps(line) + "\n")
            self.out.flush()

    def say(self, text):
        print(time.strftime("%H:%M:%S"), text, file=sys.stderr, flush=True)

    def training(self):
        names = ["nnc", *self.options.peers]
        for threads in self.options.threads:
            found = {name: self.rounds("training", name, threads, names) for name in self.options.workloads}
            print(f"\n### A training step, {plural(threads)}\n")
            print(f"{self.figure()} The ratio is the best peer's time over nnc's: above 1, nnc is faster.\n")
            table(
                ["workload", *names, "ratio", "nnc GFLOP/s", "of the peak"],
                [step_row(workload, names, results) for workload, results in found.items()],
            )
            print(f"\n### From the start of the process to the end of the first step, {plural(threads)}\n")
            print("Seconds, imports and compilation included.\n")
            table(
                ["workload", *names],
                [[w, *(number(r[n], "first_step_ms", 1e-3) for n in names)] for w, r in found.items()],
            )
            print(f"\n### Most memory, {plural(threads)}\n")
            print("MB; in brackets how much more at the end of the steps than at their beginning.\n")
            table(["workload", *names], [[w, *(memory(r[n]) for n in names)] for w, r in found.items()])

    def inference(self):
        names = ["nnc", "onnxruntime"]
        workloads = [name for name in INFERENCE if name in self.options.workloads]
        for threads in self.options.threads:
            found = {name: self.rounds("inference", name, threads, names) for name in workloads}
            print(f"\n### The answer for one row, {plural(threads)}\n")
            print(f"{self.figure()}\n")
            rows = [[w, *(number(r[n], "step_us") for n in names), ratio(r, names)] for w, r in found.items()]
            table(["workload", *names, "ratio"], rows)

    def load(self):
        """Two-thread steps, alone and while another process keeps one processor busy."""
        names = ["nnc", *(name for name in self.options.peers if name in ("torch-eager", "jax-jit"))]
        workloads = [name for name in self.options.workloads if name in ("mnist_mlp", "wide_mlp", "lenet5", "gpt")]
        rows = []
        for workload in workloads:
            alone = self.rounds("alone", workload, 2, names)
            busy = []
            loaded = self.rounds("load", workload, 2, names, between=lambda: busy.append(keep_busy()))
            busy[0].kill()
            busy[0].wait()
            cells = []
            for name in names:
                before, under = alone[name].get("step_us"), loaded[name].get("step_us")
                cells.append(f"{under / before:.1f} ({microseconds(under)})" if before and under else "—")
            rows.append([workload, *cells])
        print("\n### Two threads while another process keeps one processor busy\n")
        print("How many times slower than alone; in brackets the median step in µs.\n")
        table(["workload", *names], rows)


def keep_busy():
    """A process that has the first processor to itself; a fork of this one would keep the peers' pipes open."""
    code = "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})\nwhile True: pass"
    return subprocess.Popen([sys.executable, "-c", code])


def environment(venv):
    """The Python of a virtual environment that has the peers; makes it if it is not there."""
    python = venv / "bin" / "python"
    if not python.exists():
        print(f"making {venv}", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", venv], check=True)
        subprocess.run([python, "-m", "pip", "install", "-q", "-r", HERE / "requirements.txt"], check=True)
    return python


def medians(results, figure):
    """Over rounds; the figure that is compared as `step_us`."""
    errors = [result["error"] for result in results if "error" in result]
    if errors:
        return dict(error=errors[0])
    keys = {key for result in results for key, value in result.items() if isinstance(value, (int, float))}
    values = lambda key: [result[key] for result in results if isinstance(result.get(key), (int, float))]
    found = {key: statistics.median(values(key)) for key in keys}
    return {**found, "step_us": found.get(figure)}


def step_row(workload, names, results):
    own = results["nnc"]
    share = own.get("peak_share")
    return [
        workload,
        *(number(results[name], "step_us") for name in names),
        ratio(results, names),
        number(own, "gflops"),
        f"{100 * share:.0f} %" if share is not None else "—",
    ]


def ratio(results, names):
    own = results["nnc"].get("step_us")
    others = [results[name]["step_us"] for name in names if name != "nnc" and results[name].get("step_us")]
    return f"**{min(others) / own:.2f}**" if own and others else "—"


def number(result, key, scale=1.0):
    return microseconds(result[key] * scale) if result.get(key) is not None else "—"


def memory(result):
    if result.get("peak_mb") is None:
        return "—"
    return f"{result['peak_mb']:.0f} (+{max(result.get('growth_mb') or 0, 0):.1f})"


def microseconds(value):
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def plural(threads):
    return "1 thread" if threads == 1 else f"{threads} threads"


def table(titles, rows):
    print("| " + " | ".join(titles) + " |")
    print("|---" + "|---:" * (len(titles) - 1) + "|")
    for row in rows:
        print("| " + " | ".join(row) + " |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("workloads", nargs="*", help=f"of {' '.join(ALL)}; by default all but sizes/…")
    parser.add_argument("--sizes", action="store_true", help="the workloads of other sizes, sizes/…")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--peers", nargs="*", choices=PEERS, default=PEERS)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, help="these parts")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=1.0, help="of a contender in a round")
    parser.add_argument(
        "--figure",
        choices=["step_us", "p10_us"],
        default="step_us",
        help="of a round: the median step, or what a tenth of them stayed below, for a machine that is shared",
    )
    parser.add_argument("--venv", type=Path, default=HERE / ".venv")
    parser.add_argument("--nnc", type=Path, default=HERE.parent.parent / "target" / "release" / "nnc")
    parser.add_argument("--out", type=Path, default=HERE / "measurements.jsonl", help="where every line is kept")
    options = parser.parse_args()
    options.workloads = options.workloads or list(OTHER_SIZES if options.sizes else WORKLOADS)
    for name in options.workloads:
        if name not in ALL:
            parser.error(f"no workload is called {name}; they are {' '.join(ALL)}")
    if not options.nnc.exists():
        parser.error(f"there is no {options.nnc}: cargo build --release")
    options.nnc = options.nnc.resolve()
    comparison = Comparison(options)
    for part in options.only:
        getattr(comparison, part)()


if __name__ == "__main__":
    main()
