"""What every peer does: build, take the first step, then measure once for each line of standard input.

A line holds the seconds to measure for; the answer is one JSON object. So that the caller can let several
processes take turns, none of them measures unasked.
"""

import json
import resource
import sys
import time


def serve(build):
    """`build()` gives a function that takes some steps, and how many it takes."""
    try:
        step, steps = build()
        begun = time.perf_counter()
        step()
        report(ready=True, compile_ms=1e3 * (time.perf_counter() - begun))
        for _ in range(3 if steps == 1 else 1):
            step()
    except Exception as error:  # whatever a framework cannot do is said in the table
        report(error=f"{type(error).__name__}: {error}"[:200])
        return
    for line in sys.stdin:
        before = resident_mb()
        report(**measure(step, steps, float(line)), growth_mb=resident_mb() - before)


def measure(step, steps, seconds):
    times = []
    begun = time.perf_counter()
    while time.perf_counter() - begun < seconds or len(times) < 3:
        call = time.perf_counter()
        step()
        times.append((time.perf_counter() - call) / steps)
    times.sort()
    at = lambda share: 1e6 * times[int(len(times) * share)]
    return dict(step_us=at(0.5), p10_us=at(0.1), p90_us=at(0.9))


def resident_mb():
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * resource.getpagesize() / 1e6


def report(**values):
    values["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
    print(json.dumps(values), flush=True)
