#!/usr/bin/env python3
"""Two versions of nnc in turns on the same programs: `python3 benches/against.py OLD NEW [PROGRAM …]`.

Each round measures every program with both, one after the other, so that both see the same machine. Of the times of a
round's steps the one that a tenth is faster than counts, and of the rounds the fastest: other work makes steps slower,
never faster. Compilation is the processor's time, not the clock's, of processes that end after their first step: of
several each round the least. A ratio is new over old: above 1 the new one is slower.

By default the programs are those of benches/ and of models/ that train. What differs by more than --tell is marked; if
it is slower, the exit code is 1.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def bench(nnc, program, chosen, *more):
    command = [nnc, "bench", program, "--json", "--threads", chosen.threads, "--seconds", chosen.seconds, *more]
    command += [word for setting in chosen.set for word in ("--set", setting)]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, cwd=ROOT)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return seconds, done.stdout if done.returncode == 0 else None


def measure(nnc, program, chosen):
    """One run of `nnc bench`: its report, or None if it has nothing to measure there."""
    _, text = bench(nnc, program, chosen)
    if text is None:
        return None
    first = min(bench(nnc, program, chosen, "--first-step")[0] for _ in range(chosen.processes))
    return json.loads(text) | {"cpu_ms": first * 1e3}


def least(reports, key):
    return min(report[key] for report in reports)


def row(program, old, new, tell):
    steps = [least(reports, "p10_us") for reports in (old, new)]
    compile_times = [least(reports, "cpu_ms") for reports in (old, new)]
    step, compilation = steps[1] / steps[0], compile_times[1] / compile_times[0]
    mark = "".join(
        f" **{what}**" for what, ratio in (("step", step), ("compilation", compilation)) if ratio > 1 + tell
    )
    name = program.relative_to(ROOT) if program.is_relative_to(ROOT) else program
    print(
        f"| {name} | {steps[0]:.4g} | {steps[1]:.4g} | {step:.2f} "
        f"| {compile_times[0]:.3g} | {compile_times[1]:.3g} | {compilation:.2f} |{mark}",
        flush=True,
    )
    return step, compilation


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("old", type=Path, help="the nnc before")
    parser.add_argument("new", type=Path, help="the nnc after")
    parser.add_argument("programs", nargs="*", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.2, help="how long a round measures steps")
    parser.add_argument("--processes", type=int, default=5, help="how many compile in a round")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--set", action="append", default=[], metavar="train.KEY=VALUE", help="as nnc bench has it")
    parser.add_argument("--tell", type=float, default=0.05, help="what part of its time a program may be slower by")
    chosen = parser.parse_args()
    chosen.old, chosen.new = chosen.old.resolve(), chosen.new.resolve()
    usual = [*sorted((ROOT / "benches").glob("*.nn")), *sorted((ROOT / "models").glob("*.nn"))]
    programs = [program.resolve() for program in chosen.programs] or usual
    reports = {program: ([], []) for program in programs}
    for number in range(chosen.rounds):
        for program in programs:
            # The one that goes first changes from round to round.
            for at in (0, 1) if number % 2 == 0 else (1, 0):
                report = measure((chosen.old, chosen.new)[at], program, chosen)
                if report:
                    reports[program][at].append(report)
        print(f"round {number + 1} of {chosen.rounds}", file=sys.stderr, flush=True)
    print("| program | step before, µs | after | ratio | compilation before, ms of CPU | after | ratio |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    ratios = [row(program, old, new, chosen.tell) for program, (old, new) in reports.items() if old and new]
    for program, (old, new) in reports.items():
        if bool(old) != bool(new):
            print(f"    {program.name}: only the {'old' if old else 'new'} one takes it", file=sys.stderr)
    if not ratios:
        sys.exit("nothing that both measure")
    medians = [statistics.median(column) for column in zip(*ratios)]
    print(f"\nMedian ratio: {medians[0]:.3f} for steps, {medians[1]:.3f} for compilation.")
    return 1 if any(max(pair) > 1 + chosen.tell for pair in ratios) else 0


if __name__ == "__main__":
    sys.exit(main())
