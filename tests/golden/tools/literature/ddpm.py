from reference import *
import torch.nn.functional as F

S = 10
beta = torch.linspace(0.01, 0.3, S, dtype=D)
A = torch.cumprod(1 - beta, 0)
init = lin(6, 8, prefix="time") | lin(2, 8, prefix="fc1") | lin(8, 2, prefix="fc2")


def emb(n, d):
    t = torch.arange(n, dtype=D)[:, None]
    f = 10000 ** (-torch.arange(0, d, 2, dtype=D) / d)
    return torch.stack([(t * f).sin(), (t * f).cos()], -1).flatten(1)


P = emb(S, 6)


def net(p, x, t):
    return L(p, "fc2", F.silu(L(p, "fc1", x) + L(p, "time", P[t])))


def loss(p, b):
    a = A[b["t"]][:, None]
    return F.mse_loss(net(p, a.sqrt() * b["x"] + (1 - a).sqrt() * b["noise"], b["t"]), b["noise"])


data = dict(x=randn(16, 2), noise=randn(16, 2), t=torch.randint(0, S, (16,)))
run("ddpm", init, data, loss, ("Adam", dict(lr=1e-2)), 8)
