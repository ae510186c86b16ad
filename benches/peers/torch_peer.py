"""PyTorch on one workload: `torch_peer.py eager|compile[-last] WORKLOAD THREADS`, see rounds.py.

`-last`: pictures lie in memory with their channels last."""

import math
import sys

import torch
import torch.nn as nn
import torch.nn.functional as F

from rounds import serve
from workloads import ALL

LAYOUT = torch.contiguous_format


def mlp(dims, act):
    layers = []
    for i, (a, b) in enumerate(zip(dims, dims[1:])):
        layers.append(nn.Linear(a, b))
        if i < len(dims) - 2:
            layers.append({"relu": nn.ReLU, "tanh": nn.Tanh}[act]())
    return nn.Sequential(*layers)


class Lenet(nn.Module):
    def __init__(self):
        super().__init__()
        self.c1, self.c2 = nn.Conv2d(1, 6, 5, padding=2), nn.Conv2d(6, 16, 5)
        self.f1, self.f2, self.f3 = nn.Linear(400, 120), nn.Linear(120, 84), nn.Linear(84, 10)

    def forward(self, x):
        x = F.avg_pool2d(torch.tanh(self.c1(x)), 2)
        x = F.avg_pool2d(torch.tanh(self.c2(x)), 2).flatten(1)
        return self.f3(torch.tanh(self.f2(torch.tanh(self.f1(x)))))


class Cnn(nn.Module):
    def __init__(self, image, channels, kernel, hidden):
        super().__init__()
        (depth, size), (c1, c2) = image, channels
        self.c1, self.b1 = nn.Conv2d(depth, c1, kernel, padding=kernel // 2), nn.BatchNorm2d(c1)
        self.c2, self.b2 = nn.Conv2d(c1, c2, kernel, padding=kernel // 2), nn.BatchNorm2d(c2)
        self.f1, self.f2 = nn.Linear(c2 * (size // 4) ** 2, hidden), nn.Linear(hidden, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.b1(self.c1(x))), 2)
        x = F.max_pool2d(F.relu(self.b2(self.c2(x))), 2).flatten(1)
        return self.f2(F.relu(self.f1(x)))


class Lstm(nn.Module):
    def __init__(self, vocab, embed, hidden):
        super().__init__()
        self.e = nn.Embedding(vocab, embed)
        self.l = nn.LSTM(embed, hidden, batch_first=True)
        self.o = nn.Linear(hidden, vocab)

    def forward(self, x):
        return self.o(self.l(self.e(x))[0])


class Block(nn.Module):
    def __init__(self, d, heads):
        super().__init__()
        self.heads = heads
        self.n1, self.qkv, self.p = nn.LayerNorm(d), nn.Linear(d, 3 * d), nn.Linear(d, d)
        self.n2, self.f1, self.f2 = nn.LayerNorm(d), nn.Linear(d, 4 * d), nn.Linear(4 * d, d)

    def forward(self, x):
        B, T, D = x.shape
        q, k, v = self.qkv(self.n1(x)).view(B, T, 3, self.heads, D // self.heads).permute(2, 0, 3, 1, 4)
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.p(y.transpose(1, 2).reshape(B, T, D))
        return x + self.f2(F.gelu(self.f1(self.n2(x))))


class Gpt(nn.Module):
    def __init__(self, vocab, d, heads, layers, seq):
        super().__init__()
        self.e, self.pos = nn.Embedding(vocab, d), nn.Embedding(seq, d)
        self.b = nn.Sequential(*[Block(d, heads) for _ in range(layers)])
        self.n, self.o = nn.LayerNorm(d), nn.Linear(d, vocab, bias=False)

    def forward(self, x):
        return self.o(self.n(self.b(self.e(x) + self.pos.weight)))


class Words(nn.Module):
    """The mean of a text's words. A gradient of rows is PyTorch's fastest where the optimiser takes it."""

    def __init__(self, vocab, embed, sparse):
        super().__init__()
        self.e, self.o = nn.EmbeddingBag(vocab, embed, mode="mean", sparse=sparse), nn.Linear(embed, 2)

    def forward(self, x):
        return self.o(self.e(x))


class Tables(nn.Module):
    def __init__(self, tables, rows, embed, dims, sparse):
        super().__init__()
        self.t = nn.ModuleList([nn.Embedding(rows, embed, sparse=sparse) for _ in range(tables)])
        self.m = mlp(dims, "relu")

    def forward(self, x):
        c, n = x
        return self.m(torch.cat([t(c[:, i]) for i, t in enumerate(self.t)] + [n], 1))


def conv(inputs, out, kernel=3, stride=1, groups=1):
    """With batch normalisation after it."""
    one = nn.Conv2d(inputs, out, kernel, stride, kernel // 2, groups=groups, bias=False)
    return nn.Sequential(one, nn.BatchNorm2d(out))


class Double(nn.Sequential):
    def __init__(self, i, o):
        one, two = nn.Conv2d(i, o, 3, padding=1), nn.Conv2d(o, o, 3, padding=1)
        super().__init__(one, nn.ReLU(inplace=True), two, nn.ReLU(inplace=True))


class Unet(nn.Module):
    def __init__(self, depth, channels):
        super().__init__()
        a, b, c = channels
        self.d1, self.d2, self.d3 = Double(depth, a), Double(a, b), Double(b, c)
        self.u2, self.d4 = nn.ConvTranspose2d(c, b, 2, stride=2), Double(2 * b, b)
        self.u1, self.d5 = nn.ConvTranspose2d(b, a, 2, stride=2), Double(2 * a, a)
        self.o = nn.Conv2d(a, 1, 1)

    def forward(self, x):
        one = self.d1(x)
        two = self.d2(F.max_pool2d(one, 2))
        three = self.d3(F.max_pool2d(two, 2))
        x = self.d4(torch.cat([two, self.u2(three)], 1))
        return self.o(self.d5(torch.cat([one, self.u1(x)], 1)))


class Residual(nn.Module):
    def __init__(self, i, o, stride):
        super().__init__()
        self.one, self.two = conv(i, o, 3, stride), conv(o, o)
        self.carry = conv(i, o, 1, stride) if i != o else nn.Identity()

    def forward(self, x):
        return F.relu(self.carry(x) + self.two(F.relu(self.one(x))))


class Resnet(nn.Module):
    def __init__(self, depth, channels, blocks):
        super().__init__()
        layers, last = [conv(depth, channels[0]), nn.ReLU()], channels[0]
        for c in channels:
            for block in range(blocks):
                layers.append(Residual(last, c, 1 if block or c == channels[0] else 2))
                last = c
        self.f, self.o = nn.Sequential(*layers), nn.Linear(last, 10)

    def forward(self, x):
        return self.o(self.f(x).mean((2, 3)))


class Mobilenet(nn.Module):
    def __init__(self, depth, channels, strides):
        super().__init__()
        layers = [conv(depth, channels[0]), nn.ReLU()]
        for i, o, stride in zip(channels, channels[1:], strides):
            layers += [conv(i, i, 3, stride, i), nn.ReLU(), conv(i, o, 1), nn.ReLU()]
        self.f, self.o = nn.Sequential(*layers), nn.Linear(channels[-1], 10)

    def forward(self, x):
        return self.o(self.f(x).mean((2, 3)))


IMAGES = ("lenet", "cnn", "unet", "resnet", "mobilenet")


def model(w):
    kind = w["kind"]
    if kind == "unet":
        return Unet(w["image"][0], w["channels"])
    if kind == "resnet":
        return Resnet(w["image"][0], w["channels"], w["blocks"])
    if kind == "mobilenet":
        return Mobilenet(w["image"][0], w["channels"], w["strides"])
    sparse = w["opt"] == "sgd" and MODE == "eager"
    if kind == "words":
        return Words(w["vocab"], w["embed"], sparse)
    if kind == "tables":
        return Tables(w["tables"], w["rows"], w["embed"], w["dims"], sparse)
    if kind in ("mlp", "pinn"):
        return mlp(w["dims"], w.get("act", "tanh"))
    if kind == "lenet":
        return Lenet()
    if kind == "cnn":
        return Cnn(w["image"], w["channels"], w["kernel"], w["hidden"])
    if kind == "lstm":
        return Lstm(w["vocab"], w["embed"], w["hidden"])
    return Gpt(w["vocab"], w["dim"], w["heads"], w["layers"], w["seq"])


def inputs(w, batch):
    """Inputs and targets of a batch."""
    kind = w["kind"]
    if kind == "mlp":
        x = torch.rand(batch, w["dims"][0])
        if w["loss"] == "bce":
            return x, torch.randint(0, 2, (batch, 1)).float()
        return x, torch.randint(0, w["dims"][-1], (batch,))
    if kind in IMAGES:
        depth, size = w.get("image", (1, 28))
        x = torch.rand(batch, depth, size, size).to(memory_format=LAYOUT)
        return x, torch.randint(0, 2, x.shape).float() if kind == "unet" else torch.randint(0, 10, (batch,))
    if kind == "pinn":
        return torch.rand(batch, 2, requires_grad=True), None
    if kind == "words":
        return torch.randint(0, w["vocab"], (batch, w["seq"])), torch.randint(0, 2, (batch,))
    if kind == "tables":
        classes = torch.randint(0, w["rows"], (batch, w["tables"]))
        return (classes, torch.randn(batch, w["numbers"])), torch.randn(batch, 1)
    size = (batch, w["seq"])
    return torch.randint(0, w["vocab"], size), torch.randint(0, w["vocab"], size)


def loss_of(w, m, x, y):
    kind = w["kind"]
    if kind == "unet" or kind == "mlp" and w["loss"] == "bce":
        return lambda: F.binary_cross_entropy_with_logits(m(x), y)
    if kind == "tables":
        return lambda: F.mse_loss(m(x), y)
    if kind in ("mlp", "words", *IMAGES):
        return lambda: F.cross_entropy(m(x), y)
    if kind in ("lstm", "gpt"):
        return lambda: F.cross_entropy(m(x).flatten(0, 1), y.flatten())

    def residual():
        u = m(x)
        (g,) = torch.autograd.grad(u.sum(), x, create_graph=True)
        ux, ut = g[:, 0], g[:, 1]
        uxx = torch.autograd.grad(ux.sum(), x, create_graph=True)[0][:, 0]
        return ((ut + u[:, 0] * ux - 0.01 / math.pi * uxx) ** 2).mean()

    return residual


def build(mode, name):
    global MODE, LAYOUT
    # `eager-last`: channels lie beside each other, which is often faster.
    MODE, _, last = mode.partition("-")
    LAYOUT = torch.channels_last if last else torch.contiguous_format
    w = ALL[name]
    torch.manual_seed(0)
    m = model(w)
    if w["kind"] in IMAGES:
        m = m.to(memory_format=LAYOUT)
    loss = loss_of(w, m, *inputs(w, w["batch"]))
    if MODE == "compile":
        if w["kind"] == "pinn":
            raise RuntimeError("torch.compile does not do second derivatives")
        loss = torch.compile(loss)
    p, lr = list(m.parameters()), w["lr"]
    optimizer = {
        "sgd": lambda: torch.optim.SGD(p, lr=lr),
        "momentum": lambda: torch.optim.SGD(p, lr=lr, momentum=0.9),
        "adam": lambda: torch.optim.Adam(p, lr=lr, fused=True),
        "adamw": lambda: torch.optim.AdamW(p, lr=lr, fused=True),
    }[w["opt"]]()

    def step():
        optimizer.zero_grad(set_to_none=True)
        loss().backward()
        optimizer.step()

    return step, 1


if __name__ == "__main__":
    mode, name, threads = sys.argv[1:4]
    torch.set_num_threads(int(threads))
    serve(lambda: build(mode, name))
