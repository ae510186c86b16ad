"""How fast onnxruntime carries out what `nnc export --onnx` writes, beside what PyTorch's exporter writes of the same network.

    python tests/onnx/speed.py NNC          # a Python with torch, onnx and onnxruntime

A line for each network: milliseconds of both for a batch of the benchmark, medians of rounds that alternate, and their ratio.
Both are random networks of the same sizes, whose speed does not depend on their weights.
"""

import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import numpy
import onnxruntime
import torch

ROOT = pathlib.Path(__file__).parent.parent.parent
sys.path.insert(0, str(ROOT / "benches" / "peers"))
NNC = sys.argv[1]
import torch_peer  # noqa: E402
from workloads import ALL  # noqa: E402

torch_peer.MODE = "eager"

NETWORKS = {"lenet5": "lenet5", "resnet20": "sizes/resnet20", "lstm": "lstm", "gpt": "gpt"}
ROUNDS = 41


def started(path, threads):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def ours(nnc, file, folder):
    weights, graph = folder / "weights.safetensors", folder / "ours.onnx"
    run = [nnc, "run", file, "--steps", "1", "--save", weights, "--quiet"]
    subprocess.run(run, check=True, capture_output=True)
    subprocess.run([nnc, "export", file, "--weights", weights, "--onnx", graph], check=True, capture_output=True)
    return started(graph, 1)


def theirs(name, example, folder):
    graph = folder / "theirs.onnx"
    network = torch_peer.model(ALL["sizes/resnet20" if name == "resnet20" else name]).eval()
    torch.onnx.export(network, (torch.from_numpy(example),), str(graph), opset_version=17, dynamo=False)
    return started(graph, 1)


def fed(session, example):
    (given,) = session.get_inputs()
    kinds = {"tensor(float)": numpy.float32, "tensor(int64)": numpy.int64, "tensor(int32)": numpy.int32, "tensor(double)": numpy.float64}
    return {given.name: example.astype(kinds[given.type])}


def milliseconds(session, feed):
    times = 0
    start = time.perf_counter()
    while times < 3 or time.perf_counter() - start < 0.05:
        session.run(None, feed)
        times += 1
    return (time.perf_counter() - start) / times * 1e3


def example_of(name):
    shapes = {"lenet5": (64, 1, 28, 28), "resnet20": (32, 3, 32, 32), "lstm": (32, 64), "gpt": (16, 64)}
    random = numpy.random.default_rng(0)
    if len(shapes[name]) == 4:
        return random.uniform(size=shapes[name]).astype(numpy.float32)
    return random.integers(0, 65, size=shapes[name])


def main():
    nnc = NNC
    for name, file in NETWORKS.items():
        with tempfile.TemporaryDirectory() as folder:
            folder, example = pathlib.Path(folder), example_of(name)
            pair = [ours(nnc, ROOT / "benches" / f"{file}.nn", folder), theirs(name, example, folder)]
            feeds = [fed(session, example) for session in pair]
            for session, feed in zip(pair, feeds):
                session.run(None, feed)
            rounds = [[milliseconds(session, feed) for session, feed in zip(pair, feeds)] for _ in range(ROUNDS)]
            a, b = (statistics.median(times) for times in zip(*rounds))
            ratio = statistics.median(one / other for one, other in rounds)
            print(f"{name:10} nnc {a:8.3f} ms   PyTorch {b:8.3f} ms   ratio {ratio:.2f}", flush=True)


main()
