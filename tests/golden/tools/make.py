"""Makes the reference results of `layers.py`, `operations.py` and `optimizers.py` with PyTorch.

    python tests/golden/tools/make.py

writes for each layer and optimiser `tests/golden/more/NAME.nn` and `NAME.safetensors`, for each operation
`tests/golden/more_ops/NAME.nn`, and all their results to `tests/golden/more_ops.safetensors`. The tests only read
these files; nothing of it is needed to build or test. Needs `pip install torch`.
"""

import json
import struct
from pathlib import Path

import layers
import operations
import optimizers
import torch
from torch.nn import functional as F

GOLDEN = Path(__file__).parents[1]
TYPES = {torch.float32: "F32", torch.int32: "I32", torch.bool: "BOOL"}


def save(path, tensors):
    """Writes a safetensors file: the header's length, the header, the tensors one behind another."""
    header, data = {}, b""
    for name, tensor in tensors.items():
        tensor = tensor.detach().contiguous()
        tensor = tensor.to(torch.int32) if tensor.dtype == torch.int64 else tensor
        bytes_ = tensor.numpy().tobytes()
        header[name] = {"dtype": TYPES[tensor.dtype], "shape": list(tensor.shape), "data_offsets": [len(data), len(data) + len(bytes_)]}
        data += bytes_
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def drawn(shape, lead=()):
    """A tensor of the shape, or of the kind and shape."""
    kind, shape = shape if isinstance(shape, tuple) else (None, shape)
    shape = [*lead, *shape]
    if isinstance(kind, int):
        return torch.randint(0, kind, shape)
    if kind == "positive":
        return torch.rand(shape) + 0.1
    if kind == "labels":
        return torch.randint(0, 2, shape).float() * 2 - 1
    if kind == "bits":
        return torch.randint(0, 2, shape).float()
    if kind == "mask":
        mask = torch.rand(shape) < 0.4
        mask[..., 0] = False
        return mask
    return torch.randn(shape)


def written(shape):
    """The type of a row in the language."""
    kind, shape = shape if isinstance(shape, tuple) else (None, shape)
    element = {"mask": "bool"}.get(kind, "int" if isinstance(kind, int) else "")
    return f"{element}[{', '.join(map(str, shape))}]"


def trajectory(net, data, batch, steps, make, loss, schedule=None, clip=""):
    """Trains on rows in order, as the tests do."""
    results = {f"data.{name}": value for name, value in data.items()}
    keep = lambda part: {f"{part}.{name}": value.clone() for name, value in net.state_dict().items() if not name.endswith("num_batches_tracked")}
    results |= keep("init")
    optimizer = make(net.parameters())
    rate = schedule(optimizer) if schedule else None
    losses, rows = [], len(data["y"])
    for step in range(steps):
        own = {name: value[[(step * batch + i) % rows for i in range(batch)]] for name, value in data.items()}
        y = own.pop("y")
        error = loss(net(*own.values()), y)
        optimizer.zero_grad()
        error.backward()
        limit = float(clip.split("=")[1]) if clip else 0
        if clip.startswith("clip_value"):
            torch.nn.utils.clip_grad_value_(net.parameters(), limit)
        elif clip.startswith("clip_norm"):
            torch.nn.utils.clip_grad_norm_(net.parameters(), limit)
        optimizer.step()
        if rate:
            rate.step()
        losses.append(error.item())
    net.eval()
    with torch.no_grad():
        probe = net(*[value[:batch] for name, value in data.items() if name != "y"])
    return results | keep("final") | {"loss": torch.tensor(losses), "probe.out": probe}


def layer(case):
    name, shapes, make, text, body, extra, rows, batch = case
    net = make()
    data = {key: drawn(shape, [rows]) for key, shape in shapes.items()}
    with torch.no_grad():
        target = list(net(*data.values()).shape[1:])
    data["y"] = torch.randn(rows, *target)
    results = trajectory(net, data, batch, 6, lambda p: torch.optim.SGD(p, lr=0.1), F.mse_loss)
    save(GOLDEN / f"more/{name}.safetensors", results)
    row = lambda shape: written(shape).replace("[", "[B, ").replace(", ]", "]")
    inputs = ", ".join(f"{key}: {row(shape)}" for key, shape in shapes.items())
    fields = "\n".join(f'    {key}: {written(shape)} = tensor("data.{key}")' for key, shape in [*shapes.items(), ("y", target)])
    program(name, f"{extra}{chr(10) if extra else ''}model Net({inputs}) {{\n    layer = {text}\n    {body}\n}}\n", fields, f"mse(Net({', '.join(shapes)}), y) with SGD(lr = 0.1)", batch, 6)


def optimizer(case):
    name, make, text, schedule, clip = case

    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.fc1, self.fc2 = torch.nn.Linear(4, 8), torch.nn.Linear(8, 3)

        def forward(self, x):
            return self.fc2(torch.tanh(self.fc1(x)))

    data = {"x": torch.randn(24, 4), "y": torch.randint(0, 3, [24])}
    results = trajectory(Net(), data, 8, 20, make, F.cross_entropy, schedule, clip)
    save(GOLDEN / f"more/{name}.safetensors", results)
    model = "model Net(x: [B, 4]) -> [B, 3] {\n    fc1 = Linear(8)\n    fc2 = Linear(3)\n    x |> fc1 |> tanh |> fc2\n}\n"
    fields = '    x: [4] = tensor("data.x")\n    y: class(3) = tensor("data.y")'
    program(name, model, fields, f"cross_entropy(Net(x), y) with {text}{', ' if clip else ''}{clip}", 8, 20)


def program(name, model, fields, minimize, batch, steps):
    (GOLDEN / f"more/{name}.nn").write_text(f"""{model}
data golden = safetensors("{name}.safetensors") {{
{fields}
}}

train {{
    data     = golden
    minimize {minimize}
    batch    = {batch}
    steps    = {steps}
    shuffle  = false
    init     = safetensors("{name}.safetensors", prefix = "init.")
}}
""")


def operation(case, results):
    name, shapes, call, text = case
    given = {key: drawn(shape) for key, shape in shapes.items()}
    for key, shape in shapes.items():
        if not isinstance(shape, tuple) or shape[0] == "positive":
            given[key].requires_grad_()
    out = call(*given.values())
    cotangent = torch.randn(out.shape)
    varied = {key: value for key, value in given.items() if value.requires_grad}
    grads = torch.autograd.grad((out * cotangent).sum(), list(varied.values()), allow_unused=True) if varied else []
    results |= {f"{name}.in.{key}": value for key, value in given.items()} | {f"{name}.out": out, f"{name}.cot": cotangent}
    # An input that is no variable of the function has no gradient here.
    results |= {f"{name}.grad.{key}": grad for key, grad in zip(varied, grads) if grad is not None and f"stop_gradient({key})" not in text}
    (GOLDEN / f"more_ops/{name}.nn").write_text(text + "\n")


def main():
    torch.set_num_threads(1)
    (GOLDEN / "more").mkdir(exist_ok=True)
    (GOLDEN / "more_ops").mkdir(exist_ok=True)
    results = {}
    for seed, (make, case) in enumerate([*((layer, case) for case in layers.CASES), *((optimizer, case) for case in optimizers.CASES)]):
        torch.manual_seed(seed)
        make(case)
    for seed, case in enumerate(operations.CASES):
        torch.manual_seed(seed)
        operation(case, results)
    save(GOLDEN / "more_ops.safetensors", results)


main()
