"""What the reference programs of this folder share: networks from the literature, trained in PyTorch.

    python tests/golden/tools/literature/NAME.py            writes models/literature/NAME.safetensors
    python tests/golden/tools/literature/NAME.py --float32  how far PyTorch in 32 bits is from that file

A reference is a trajectory in 64 bits from parameters and data that 32 bits hold exactly: `data.*`, `init.*`,
`final.*` and the `loss` of each step. With `--float32` the same training is done in 32 bits from the same start, and
one line of JSON gives its greatest distance from the reference, as `distance` defines it.
Needs `pip install torch`.
"""

import json
import struct
import sys
from pathlib import Path

import torch
from distance import TYPES, distance, load

FOLDER = Path(__file__).resolve().parents[4] / "models/literature"
FLOAT32 = "--float32" in sys.argv
D = torch.float32 if FLOAT32 else torch.float64

torch.set_num_threads(1)
torch.manual_seed(0)


def save(path, tensors):
    """Writes a safetensors file: the header's length, the header, the tensors one behind another."""
    header, data = {}, b""
    for name, tensor in tensors.items():
        array = tensor.detach().contiguous().numpy()
        kind = next(kind for kind, type in TYPES.items() if array.dtype == type)
        header[name] = {
            "dtype": kind,
            "shape": list(array.shape),
            "data_offsets": [len(data), len(data) + array.nbytes],
        }
        data += array.tobytes()
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    Path(path).write_bytes(struct.pack("<Q", len(text)) + text + data)


def rounded(tensor):
    """As 32 bits hold it."""
    return tensor.to(torch.float32).to(D) if tensor.is_floating_point() else tensor


def batches(data, batch, step):
    """The rows of a step: in order, from the beginning again after the last."""
    count = next(iter(data.values())).shape[0]
    rows = [(step * batch + row) % count for row in range(batch)]
    return {name: tensor[rows] for name, tensor in data.items()}


def run(name, init, data, loss, opt=("SGD", dict(lr=0.1)), batch=None, steps=10, clip=None, custom=None):
    """Trains `loss(parameters, batch)`, or as `custom(parameters, data)` says, which gives losses and parameters."""
    path = FOLDER / f"{name}.safetensors"
    init = {key: rounded(value) for key, value in init.items()}
    data = {key: rounded(value) for key, value in data.items()}
    if FLOAT32:
        reference = load(path)
        start = lambda kind, key, like: torch.tensor(reference[f"{kind}.{key}"]).to(like.dtype)
        init = {key: start("init", key, value) for key, value in init.items()}
        data = {key: start("data", key, value) for key, value in data.items()}
    batch = batch or next(iter(data.values())).shape[0]
    parameters = {key: value.clone().requires_grad_(True) for key, value in init.items()}
    if custom:
        losses, parameters = custom(parameters, data)
    else:
        losses = []
        optimizer = getattr(torch.optim, opt[0])(list(parameters.values()), **opt[1])
        for step in range(steps):
            optimizer.zero_grad()
            value = loss(parameters, batches(data, batch, step))
            value.backward()
            if clip:
                torch.nn.utils.clip_grad_norm_(list(parameters.values()), clip)
            optimizer.step()
            losses.append(value.item())
    final = {key: value.detach() for key, value in parameters.items()}
    if FLOAT32:
        losses_off, parameters_off = distance(reference, losses, {key: value.numpy() for key, value in final.items()})
        print(json.dumps({"name": name, "loss": losses_off, "parameters": parameters_off}))
        return
    small = lambda tensor: tensor.to(torch.float32 if tensor.is_floating_point() else torch.int32)
    tensors = {f"data.{key}": small(value) for key, value in data.items()}
    tensors |= {f"init.{key}": small(value) for key, value in init.items()}
    tensors |= {f"final.{key}": value.to(D) for key, value in final.items()}
    save(path, tensors | {"loss": torch.tensor(losses, dtype=D)})


def randn(*shape):
    return torch.randn(*shape, dtype=D)


def uni(bound, *shape):
    """Between -bound and bound."""
    return (torch.rand(*shape, dtype=D) * 2 - 1) * bound


def lin(inputs, outputs, bias=True, prefix=""):
    """The start of a dense layer."""
    bound = inputs**-0.5
    start = {f"{prefix}.weight": uni(bound, outputs, inputs)}
    return start | ({f"{prefix}.bias": uni(bound, outputs)} if bias else {})


def L(parameters, name, x):
    """A dense layer."""
    y = x @ parameters[name + ".weight"].T
    return y + parameters[name + ".bias"] if name + ".bias" in parameters else y
