from reference import *
import torch.nn.functional as F

N, M, H = 5, 4, 6
init = {
    "controller.weight": uni(0.6, H, 3 + M),
    "controller.bias": uni(0.3, H),
    "read.weight": uni(0.6, M + 6, H),
    "read.bias": uni(0.3, M + 6),
    "write.weight": uni(0.6, 3 * M + 6, H),
    "write.bias": uni(0.3, 3 * M + 6),
    "start": 0.5 * randn(N, M),
    **lin(H + M, 3, prefix="head"),
}


def addr(p, before, mem):
    k, be, g, s, ga = (
        p[:, :M],
        F.softplus(p[:, M]),
        torch.sigmoid(p[:, M + 1]),
        p[:, M + 2 : M + 5].softmax(-1),
        1 + F.softplus(p[:, M + 5]),
    )
    c = (k[:, None] * mem).sum(-1) / (k.norm(dim=1)[:, None] * mem.norm(dim=2) + 1e-6)
    w = (be[:, None] * c).softmax(-1)
    w = g[:, None] * w + (1 - g)[:, None] * before
    w = s[:, :1] * w.roll(1, 1) + s[:, 1:2] * w + s[:, 2:] * w.roll(-1, 1)
    w = (w + 1e-8) ** ga[:, None]
    return w / w.sum(1, keepdim=True)


def loss(p, b):
    x = b["x"]
    B = len(x)
    mem = p["start"].expand(B, N, M)
    seen = torch.zeros(B, M, dtype=D)
    r = w = F.one_hot(torch.zeros(B, dtype=torch.long), N).to(D)
    outs = []
    for t in range(x.shape[1]):
        h = torch.tanh(torch.cat([x[:, t], seen], 1) @ p["controller.weight"].T + p["controller.bias"])
        q = h @ p["write.weight"].T + p["write.bias"]
        w = addr(q, w, mem)
        e, a = torch.sigmoid(q[:, M + 6 : 2 * M + 6]), q[:, 2 * M + 6 :]
        mem = mem * (1 - w[..., None] * e[:, None]) + w[..., None] * a[:, None]
        r = addr(h @ p["read.weight"].T + p["read.bias"], r, mem)
        seen = (r[..., None] * mem).sum(1)
        outs.append(torch.cat([h, seen], 1))
    return F.binary_cross_entropy_with_logits(L(p, "head", torch.stack(outs, 1)), b["y"])


def custom(p, data):
    o = torch.optim.RMSprop(list(p.values()), lr=1e-2, momentum=0.9)
    losses = []
    for k in range(10):
        o.zero_grad()
        l = loss(p, batches(data, 4, k))
        l.backward()
        torch.nn.utils.clip_grad_value_(list(p.values()), 10)
        o.step()
        losses.append(l.item())
    return losses, p


x = torch.randint(0, 2, (8, 6, 3)).to(D)
run("ntm", init, dict(x=x, y=x.roll(2, 1)), None, batch=4, custom=custom)
