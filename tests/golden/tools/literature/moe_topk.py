from reference import *
import torch.nn.functional as F

init = {"moe.gate.weight": randn(4, 4), **lin(4, 2, prefix="head")}
for e in range(4):
    init |= lin(4, 6, prefix=f"moe.expert{e}.fc1") | lin(6, 4, prefix=f"moe.expert{e}.fc2")


def loss(p, b):
    x = b["x"]
    s = x @ p["moe.gate.weight"].T
    v, i = s.topk(2, -1)
    g = torch.zeros_like(s).scatter(1, i, v.softmax(-1))
    y = 0
    for e in range(4):
        y = y + g[:, e : e + 1] * L(p, f"moe.expert{e}.fc2", F.gelu(L(p, f"moe.expert{e}.fc1", x)))
    share = torch.zeros_like(s).scatter(1, i, 1.0).mean(0)
    bal = 4 * (share * s.softmax(-1).mean(0)).sum() / 2
    return F.mse_loss(L(p, "head", x + y), b["y"]) + 0.01 * bal


run("moe_topk", init, dict(x=randn(16, 4), y=randn(16, 2)), loss, ("AdamW", dict(lr=1e-2)), 8)
