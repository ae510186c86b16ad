"""How long a step takes that two processes share, and what share of it their exchanges take.

    python benches/ranks.py [target/release/nnc]

For the benchmarks wide_mlp, cnn and gpt with one thread for each process: undivided, divided into two shards in one
process, and in two under Open MPI and MPICH, on one machine. The best of three runs counts. Where others are at work,
`chrt -r 1 python benches/ranks.py` keeps the processors free for it.
"""
import json, os, subprocess, sys

NNC = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else "target/release/nnc")
HERE = os.path.dirname(os.path.abspath(__file__))
LAUNCHERS = {"": [], "Open MPI": ["mpirun.openmpi", "--allow-run-as-root", "--bind-to", "none", "-n", "2"],
             "MPICH": ["mpiexec.hydra", "-n", "2"]}


def end(launcher, model, steps, *options):
    command = [*LAUNCHERS[launcher], NNC, "run", f"{model}.nn", "--threads", "1", "--no-save", "--steps", str(steps),
               "--events", "json", "--every", "1000000", *options]
    ran = subprocess.run(command, cwd=HERE, capture_output=True, text=True, timeout=300)
    ends = [json.loads(line) for line in ran.stdout.splitlines() if '"event":"end"' in line]
    if not ends:
        sys.exit(f"{' '.join(command)}: {ran.stderr}")
    return ends[-1]


for model, steps in (("wide_mlp", 600), ("cnn", 120), ("gpt", 80)):
    shards = ("--set", "train.shards=2")
    for name, launcher, options in (("undivided", "", ()), ("two shards", "", shards),
                                    ("Open MPI", "Open MPI", shards), ("MPICH", "MPICH", shards)):
        best = min((end(launcher, model, steps, *options) for _ in range(3)), key=lambda end: end["seconds"])
        line = f"{model:9} {name:11} {1e3 * best['seconds'] / steps:7.2f} ms a step"
        if exchanges := best.get("exchanges"):
            waited, took = (exchanges[what] / best["seconds"] for what in ("waited", "took"))
            sent = exchanges["sent"] / steps / 1e6
            line += f", {took:.0%} in exchanges, {waited:.0%} waiting, {sent:.1f} MB sent"
        print(line, flush=True)
