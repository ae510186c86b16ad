"""Networks of many kinds to PyTorch with `strict=True` and back: both say the same of the same rows.

    pip install torch safetensors numpy
    python tests/weights/architectures.py NNC        # the command, e.g. target/release/nnc
"""

import pathlib
import subprocess
import sys
import tempfile

import numpy
import torch
from safetensors.torch import load_file, save_file
from torch import nn
from torch.nn import functional as f

ROWS = 6


class Modules(nn.Module):
    """Modules by name, and what is done with them."""

    def __init__(self, forward, **modules):
        super().__init__()
        for name, module in modules.items():
            setattr(self, name, module)
        self.says = forward

    def forward(self, x):
        return self.says(self, x)


def named(layers):
    """A layer that is used within another one: `head.fc` and its like."""
    module = nn.Module()
    for name, layer in layers.items():
        setattr(module, name, layer)
    return module


# Name, shape of a row, the model in nnc, and the same in PyTorch. Whole numbers below 11 where the shape is of ints.
NETWORKS = [
    (
        "normalised", "[12]",
        "a = Linear(8)\n n = BatchNorm1d()\n p = PReLU()\n b = Linear(5)\n l = LayerNorm()\n x |> a |> n |> p |> b |> l",
        lambda: Modules(lambda m, x: m.l(m.b(m.p(m.n(m.a(x))))), a=nn.Linear(12, 8), n=nn.BatchNorm1d(8), p=nn.PReLU(), b=nn.Linear(8, 5), l=nn.LayerNorm(5)),
    ),
    (
        "separable", "[4, 20]",
        "d = Conv1d(4, kernel = 3, padding = 2, dilation = 2, groups = 4, bias = false)\n p = Conv1d(6, kernel = 1)\n g = GroupNorm(2)\n x |> d |> p |> g |> gelu |> mean(axis = 2)",
        lambda: Modules(lambda m, x: f.gelu(m.g(m.p(m.d(x)))).mean(2), d=nn.Conv1d(4, 4, 3, padding=2, dilation=2, groups=4, bias=False), p=nn.Conv1d(4, 6, 1), g=nn.GroupNorm(2, 6)),
    ),
    (
        "transposed", "[3, 5, 4]",
        "t = ConvTranspose2d(4, kernel = 3, stride = 2, padding = 1, output_padding = 1)\n i = InstanceNorm2d(affine = true)\n c = Conv2d(2, kernel = 3)\n x |> t |> i |> relu |> c",
        lambda: Modules(lambda m, x: m.c(torch.relu(m.i(m.t(x)))), t=nn.ConvTranspose2d(3, 4, 3, stride=2, padding=1, output_padding=1), i=nn.InstanceNorm2d(4, affine=True), c=nn.Conv2d(4, 2, 3)),
    ),
    (
        "grouped", "[4, 9, 9]",
        "c = Conv2d(8, kernel = 3, groups = 2)\n n = BatchNorm2d(affine = false)\n d = Conv2d(6, kernel = 2, stride = 2, bias = false)\n x |> c |> n |> elu |> AvgPool2d(2) |> d |> Flatten()",
        lambda: Modules(lambda m, x: m.d(f.avg_pool2d(f.elu(m.n(m.c(x))), 2)).flatten(1), c=nn.Conv2d(4, 8, 3, groups=2), n=nn.BatchNorm2d(8, affine=False), d=nn.Conv2d(8, 6, 2, stride=2, bias=False)),
    ),
    (
        "volume", "[2, 4, 5, 6]",
        "c = Conv3d(3, kernel = 2)\n x |> c |> tanh |> Flatten()",
        lambda: Modules(lambda m, x: torch.tanh(m.c(x)).flatten(1), c=nn.Conv3d(2, 3, 2)),
    ),
    (
        "lstm", "[7, 3]",
        "r = LSTM(5, layers = 2, bidirectional = true)\n fc = Linear(4)\n x |> r |> fc",
        lambda: Modules(lambda m, x: m.fc(m.r(x)[0]), r=nn.LSTM(3, 5, 2, bidirectional=True, batch_first=True), fc=nn.Linear(10, 4)),
    ),
    (
        "gru", "int[9]",
        "e = Embedding(11, 4)\n r = GRU(6)\n fc = Linear(3)\n h = x |> e |> r\n h[:, 8] |> fc",
        lambda: Modules(lambda m, x: m.fc(m.r(m.e(x))[0][:, -1]), e=nn.Embedding(11, 4), r=nn.GRU(4, 6, batch_first=True), fc=nn.Linear(6, 3)),
    ),
    (
        "rnn", "[6, 3]",
        "r = RNN(5, act = relu, bidirectional = true)\n x |> r",
        lambda: Modules(lambda m, x: m.r(x)[0], r=nn.RNN(3, 5, nonlinearity="relu", bidirectional=True, batch_first=True)),
    ),
    (
        "encoder", "[5, 8]",
        "t = TransformerEncoderLayer(2, feedforward = 12, dropout = 0, act = gelu, norm_first = true)\n fc = Linear(3)\n x |> t |> fc",
        lambda: Modules(lambda m, x: m.fc(m.t(x)), t=nn.TransformerEncoderLayer(8, 2, 12, 0.0, "gelu", norm_first=True, batch_first=True), fc=nn.Linear(8, 3)),
    ),
    (
        "stack", "[5, 8]",
        "t = TransformerEncoder(2, heads = 4, feedforward = 10, dropout = 0)\n x |> t",
        lambda: Modules(lambda m, x: m.t(x), t=nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 4, 10, 0.0, batch_first=True), 2)),
    ),
    (
        "attention", "[5, 6]",
        "a = MultiheadAttention(3)\n n = RMSNorm()\n x |> a |> n",
        lambda: Modules(lambda m, x: m.n(m.a(x, x, x)[0]), a=nn.MultiheadAttention(6, 3, batch_first=True), n=nn.RMSNorm(6, eps=1.1920929e-7)),
    ),
    (
        "blocks", "[8]",
        "first = Block(8)\n second = Block(8)\n head = Bilinear(3)\n h = x |> first |> second\n head(h, x)",
        lambda: Modules(
            lambda m, x: m.head((h := block(m.second, block(m.first, x))), x),
            first=named({"up": nn.Linear(8, 8), "down": nn.Linear(8, 8, bias=False)}),
            second=named({"up": nn.Linear(8, 8), "down": nn.Linear(8, 8, bias=False)}),
            head=nn.Bilinear(8, 8, 3),
        ),
    ),
]


def block(layers, x):
    return x + layers.down(torch.sigmoid(layers.up(x)))


BLOCK = """
layer Block(n)(x: [B, n]) -> [B, n] {
    up = Linear(n)
    down = Linear(n, bias = false)
    x + (x |> up |> sigmoid |> down)
}
"""


def program(row, body):
    """The model, and a training whose loss calls it."""
    is_int = row.startswith("int")
    shape = row.removeprefix("int")
    taken = f"class(11)[B, {shape[1:]}" if is_int else f"[B, {shape[1:]}"
    field = f"class(11){shape}" if is_int else shape
    lines = "\n    ".join(line.strip() for line in body.splitlines())
    return f"""{BLOCK}
model Net(x: {taken}) {{
    {lines}
}}

data made = npz("rows.npz") {{
    x: {field} = tensor("x")
    split train = 0.5, test = 0.5
}}

train {{
    data     = made.train
    validate = made.test
    minimize mean(Net(x)^2) with Adam(lr = 0.01)
    batch    = 3
    steps    = 3
}}
"""



def by_nnc(nnc, source, weights, folder):
    """What the model says of the rows, by the command line."""
    out = folder / "out.npy"
    command = [nnc, "predict", source, "--weights", weights, folder / "rows.npz", "--raw", "-o", out]
    subprocess.run(command, check=True)
    return numpy.load(out)


def compared(name, found, meant):
    meant = meant.reshape(found.shape)
    difference = float(numpy.abs(found - meant).max())
    assert difference <= 2e-5 * max(1.0, float(numpy.abs(meant).max())), f"{name}: {difference}"
    return difference


def main():
    nnc = pathlib.Path(sys.argv[1]).resolve()
    for name, row, body, make in NETWORKS:
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            source, trained, back = folder / f"{name}.nn", folder / "nnc.safetensors", folder / "torch.safetensors"
            source.write_text(program(row, body))
            shape = [ROWS] + [int(size) for size in row.removeprefix("int").strip("[]").split(",")]
            random = numpy.random.default_rng(1)
            x = random.integers(0, 11, shape) if row.startswith("int") else random.normal(size=shape).astype("float32")
            numpy.savez(folder / "rows.npz", x=x)
            subprocess.run([nnc, "run", source, "--save", trained, "--quiet"], check=True)
            torch.manual_seed(0)
            net = make().eval()
            # From PyTorch to nnc.
            save_file({path: value.contiguous() for path, value in net.state_dict().items()}, back)
            with torch.no_grad():
                first = compared(name, by_nnc(nnc, source, back, folder), net(torch.tensor(x)).numpy())
                # From nnc to PyTorch.
                arrays = load_file(trained)
                state = {path: array for path, array in arrays.items() if not path.startswith("nnc.")}
                net.load_state_dict(state, strict=True)
                second = compared(name, by_nnc(nnc, source, trained, folder), net(torch.tensor(x)).numpy())
        print(f"{name:<12} to nnc {first:.1e}, to PyTorch {second:.1e}")


main()
