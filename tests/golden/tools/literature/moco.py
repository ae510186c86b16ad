from reference import *
import torch.nn.functional as F

a = lin(5, 6, prefix="net.fc1") | lin(6, 3, prefix="net.fc2")
init = (
    {"Fast." + k: v for k, v in a.items()}
    | {"Slow." + k: v + 0.05 * randn(*v.shape) for k, v in a.items()}
    | {"Slow.queue": F.normalize(randn(12, 3), dim=1)}
)


def enc(p, n, x):
    z = L(p, n + ".net.fc2", torch.relu(L(p, n + ".net.fc1", x)))
    return z / ((z**2).sum(1, keepdim=True) + 1e-12).sqrt()


def custom(p, data):
    q_ = p.pop("Slow.queue").detach()
    Fs = {k: v for k, v in p.items() if k[0] == "F"}
    o = torch.optim.SGD(list(Fs.values()), lr=0.1, momentum=0.9)
    losses = []
    for k in range(10):
        b = batches(data, 4, k)
        q = enc(p, "Fast", b["x"])
        key = enc(p, "Slow", b["other"]).detach()
        z = torch.cat([(q * key).sum(1, keepdim=True), q @ q_.T], 1) / 0.2
        l = F.cross_entropy(z, torch.zeros(4, dtype=torch.long))
        o.zero_grad()
        l.backward()
        o.step()
        losses.append(l.item())
        q_ = torch.cat([key, q_[:8]])
        with torch.no_grad():
            [p["Slow" + n[4:]].mul_(0.9).add_(0.1 * v) for n, v in Fs.items()]
    return losses, p | {"Slow.queue": q_}


run("moco", init, dict(x=randn(16, 5), other=randn(16, 5)), None, batch=4, custom=custom)
