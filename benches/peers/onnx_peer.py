"""onnxruntime's answers for one row: `onnx_peer.py WORKLOAD THREADS`, see rounds.py.

The network is PyTorch's, exported.
"""

import os
import sys
import tempfile

import onnxruntime
import torch

from rounds import serve
from torch_peer import inputs, model
from workloads import ALL


def build(name, threads):
    w = ALL[name]
    m = model(w).eval()
    x, _ = inputs(w, 1)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "model.onnx")
        torch.onnx.export(m, (x,), path, dynamo=True, verbose=False)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    given = {session.get_inputs()[0].name: x.numpy()}
    return lambda: session.run(None, given), 1


if __name__ == "__main__":
    name, threads = sys.argv[1], int(sys.argv[2])
    torch.set_num_threads(threads)
    # What the exporter says belongs to nobody's table.
    out, sys.stdout = sys.stdout, sys.stderr
    made = build(name, threads)
    sys.stdout = out
    serve(lambda: made)
