from reference import *
import torch.nn.functional as F

init = (
    lin(3, 8, prefix="Policy.fc1")
    | lin(8, 4, prefix="Policy.fc2")
    | lin(3, 8, prefix="Value.fc1")
    | lin(8, 1, prefix="Value.fc2")
)


def mlp(p, n, x):
    return L(p, n + ".fc2", torch.tanh(L(p, n + ".fc1", x)))


def loss(p, b):
    s, r, done = b["s"], b["r"], b["done"].bool()
    B, T = r.shape
    v = mlp(p, "Value", s)[..., 0]
    vn = torch.cat([v[:, 1:], torch.zeros(B, 1, dtype=D)], 1)
    nd = (~done).to(D)
    delta = r + 0.95 * vn * nd - v
    a = torch.zeros(B, dtype=D)
    out = [None] * T
    for t in reversed(range(T)):
        a = delta[:, t] + 0.95 * 0.9 * nd[:, t] * a
        out[t] = a
    a = torch.stack(out, 1).detach()
    sc = (a - a.mean()) / (a.std() + 1e-8)
    lp = mlp(p, "Policy", s).log_softmax(-1)
    ch = lp.gather(2, b["action"][..., None])[..., 0]
    ratio = (ch - b["old"]).exp()
    return (
        0.5 * F.mse_loss(v, (a + v).detach())
        - torch.min(ratio * sc, ratio.clamp(0.8, 1.2) * sc).mean()
        + 0.01 * (lp.exp() * lp).sum(-1).mean()
    )


done = torch.zeros(8, 6, dtype=torch.int32)
done[:, 5] = 1
done[2, 2] = 1
done[5, 3] = 1
act = torch.randint(0, 4, (8, 6))
s = randn(8, 6, 3)
with torch.no_grad():
    old = mlp({k: rounded(v) for k, v in init.items()}, "Policy", rounded(s)).log_softmax(-1).gather(2, act[..., None])[
        ..., 0
    ] + 0.2 * randn(8, 6)
run(
    "actor_critic",
    init,
    dict(s=s, action=act, r=randn(8, 6), done=done, old=old),
    loss,
    ("Adam", dict(lr=1e-2)),
    4,
    clip=0.5,
)
