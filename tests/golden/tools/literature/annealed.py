from reference import *
import torch.nn.functional as F, math

init = (
    lin(6, 8, prefix="enc1")
    | lin(8, 8, prefix="enc2")
    | lin(8, 8, prefix="dec1")
    | lin(8, 6, prefix="dec2")
)


def custom(p, data):
    o = torch.optim.Adam(list(p.values()), lr=1e-2)
    losses = []
    for k in range(10):
        b = batches(data, 8, k)
        x = b["x"]
        lg = L(p, "enc2", torch.relu(L(p, "enc1", x))).view(-1, 2, 4)
        z = ((lg - torch.log(-torch.log(b["u"]))) / max(math.exp(-0.1 * k), 0.5)).softmax(-1)
        r = L(p, "dec2", torch.relu(L(p, "dec1", z.flatten(1))))
        q = lg.log_softmax(-1)
        l = 6 * F.mse_loss(r, x) + min((k + 1) / 5, 1) * (q.exp() * (q + math.log(4))).sum((1, 2)).mean()
        o.zero_grad()
        l.backward()
        o.step()
        losses.append(l.item())
    return losses, p


run("annealed", init, dict(x=randn(16, 6), u=0.01 + 0.98 * torch.rand(16, 2, 4, dtype=D)), None, batch=8, custom=custom)
