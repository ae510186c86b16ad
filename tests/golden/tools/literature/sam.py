from reference import *
import torch.nn.functional as F

init = lin(3, 8, prefix="fc1") | lin(8, 4, prefix="fc2")


def f(p, b):
    return F.cross_entropy(L(p, "fc2", torch.tanh(L(p, "fc1", b["x"]))), b["y"])


def custom(p, data):
    o = torch.optim.SGD(list(p.values()), lr=0.1, momentum=0.9)
    losses = []
    for k in range(10):
        b = batches(data, 8, k)
        g = torch.autograd.grad(f(p, b), list(p.values()))
        r = 0.05 / (sum((x**2).sum() for x in g).sqrt() + 1e-12)
        with torch.no_grad():
            [w.add_(r * x) for w, x in zip(p.values(), g)]
        o.zero_grad()
        l = f(p, b)
        l.backward()
        losses.append(l.item())
        with torch.no_grad():
            [w.sub_(r * x) for w, x in zip(p.values(), g)]
        o.step()
    return losses, p


run("sam", init, dict(x=randn(16, 3), y=torch.randint(0, 4, (16,))), None, batch=8, custom=custom)
