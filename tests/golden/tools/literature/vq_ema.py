from reference import *
import torch.nn.functional as F

init = (
    lin(5, 3, prefix="enc")
    | lin(3, 5, prefix="dec")
    | {"book.count": torch.ones(4, dtype=D), "book.total": randn(4, 3)}
)


def custom(p, data):
    cn, tt = p.pop("book.count").detach(), p.pop("book.total").detach()
    o = torch.optim.Adam(list(p.values()), lr=1e-2)
    losses = []
    for k in range(10):
        x = batches(data, 8, k)["x"]
        z = L(p, "enc", x)
        w = tt / cn[:, None]
        c = torch.cdist(z, w).argmin(1)
        e = w[c]
        l = F.mse_loss(L(p, "dec", z + (e - z).detach()), x) + 0.25 * F.mse_loss(z, e)
        o.zero_grad()
        l.backward()
        o.step()
        losses.append(l.item())
        h = F.one_hot(c, 4).to(D)
        cn = 0.8 * cn + 0.2 * h.sum(0)
        tt = 0.8 * tt + 0.2 * h.T @ z.detach()
    return losses, p | {"book.count": cn, "book.total": tt}


run("vq_ema", init, dict(x=randn(16, 5)), None, batch=8, custom=custom)
