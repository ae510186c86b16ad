from reference import *
import torch.nn.functional as F

init = {"kinds.weight": randn(4, 6), **lin(6, 1, prefix="out")}
for l in ("l1", "l2"):
    init |= (
        lin(13, 8, prefix=l + ".edge1")
        | lin(8, 8, prefix=l + ".edge2")
        | lin(14, 8, prefix=l + ".node1")
        | lin(8, 6, prefix=l + ".node2")
        | lin(8, 1, False, prefix=l + ".coord")
    )


def egcl(p, n, h, x):
    B, N, _ = h.shape
    diff = x[:, :, None] - x[:, None]
    d2 = (diff**2).sum(-1, keepdim=True)
    m = torch.cat([h[:, :, None].expand(B, N, N, 6), h[:, None].expand(B, N, N, 6), d2], -1)
    m = F.silu(L(p, n + ".edge2", F.silu(L(p, n + ".edge1", m))))
    moved = x + (diff * (m @ p[n + ".coord.weight"].T)).sum(2) / (N - 1)
    heard = (m * (1 - torch.eye(N, dtype=D))[None, :, :, None]).sum(2)
    return h + L(p, n + ".node2", F.silu(L(p, n + ".node1", torch.cat([h, heard], -1)))), moved


def loss(p, b):
    x = b["x"].clone().requires_grad_(True)
    h, q = egcl(p, "l1", p["kinds.weight"][b["z"]], x)
    h, q = egcl(p, "l2", h, q)
    e = L(p, "out", h)[..., 0].sum(1)
    (g,) = torch.autograd.grad(e.sum(), x, create_graph=True)
    return F.mse_loss(e, b["e"]) + F.mse_loss(-g, b["f"])


run(
    "egnn",
    init,
    dict(z=torch.randint(0, 4, (8, 5)), x=randn(8, 5, 3), e=randn(8), f=randn(8, 5, 3)),
    loss,
    ("Adam", dict(lr=5e-3)),
    4,
)
