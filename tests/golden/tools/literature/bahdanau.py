from reference import *
import torch.nn.functional as F

H, S, T = 6, 6, 4
init = {
    "src.weight": randn(9, 5),
    "tgt.weight": randn(8, 5),
    **lin(H, H, prefix="start"),
    **lin(3 * H, 8, prefix="head"),
    "query.weight": uni(0.5, H, H),
    "key.weight": uni(0.5, H, 2 * H),
    "score": uni(0.4, H),
    "cell.weight_ih": uni(0.4, 3 * H, 5 + 2 * H),
    "cell.weight_hh": uni(0.4, 3 * H, H),
    "cell.bias_ih": uni(0.4, 3 * H),
    "cell.bias_hh": uni(0.4, 3 * H),
}
for s in ("", "_reverse"):
    init |= {
        f"encoder.weight_ih_l0{s}": uni(0.4, 3 * H, 5),
        f"encoder.weight_hh_l0{s}": uni(0.4, 3 * H, H),
        f"encoder.bias_ih_l0{s}": uni(0.4, 3 * H),
        f"encoder.bias_hh_l0{s}": uni(0.4, 3 * H),
    }


def cell(x, h, wi, wh, bi, bh):
    ri, zi, ni = (x @ wi.T + bi).chunk(3, 1)
    rh, zh, nh = (h @ wh.T + bh).chunk(3, 1)
    r, z = torch.sigmoid(ri + rh), torch.sigmoid(zi + zh)
    n = torch.tanh(ni + r * nh)
    return (1 - z) * n + z * h


def gru(p, x, s, rev):
    h = torch.zeros(len(x), H, dtype=D)
    out = [None] * S
    for t in reversed(range(S)) if rev else range(S):
        h = cell(x[:, t], h, *(p[f"encoder.{n}_l0{s}"] for n in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")))
        out[t] = h
    return torch.stack(out, 1)


def loss(p, b):
    w = p["src.weight"][b["source"]]
    mem = torch.cat([gru(p, w, "", False), gru(p, w, "_reverse", True)], -1)
    pad = b["source"] == 0
    keys = mem @ p["key.weight"].T
    e = p["tgt.weight"][b["given"]]
    h = torch.tanh(L(p, "start", mem[:, 0, H:]))
    outs = []
    for t in range(T):
        a = (
            (torch.tanh((h @ p["query.weight"].T)[:, None] + keys) @ p["score"])
            .masked_fill(pad, float("-inf"))
            .softmax(1)
        )
        c = (a[..., None] * mem).sum(1)
        h = cell(torch.cat([e[:, t], c], 1), h, p["cell.weight_ih"], p["cell.weight_hh"], p["cell.bias_ih"], p["cell.bias_hh"])
        outs.append(torch.cat([h, c], 1))
    return F.cross_entropy(L(p, "head", torch.stack(outs, 1)).flatten(0, 1), b["target"].flatten())


src = torch.randint(1, 9, (8, S))
src[torch.arange(S)[None] >= torch.randint(3, 7, (8, 1))] = 0
run(
    "bahdanau",
    init,
    dict(source=src, given=torch.randint(0, 8, (8, T)), target=torch.randint(0, 8, (8, T))),
    loss,
    ("Adam", dict(lr=1e-2)),
    4,
    clip=0.5,
)
