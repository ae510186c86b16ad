from reference import *
import torch.nn.functional as F

a = lin(4, 8, prefix="net.fc1") | lin(8, 1, prefix="net.value") | lin(8, 3, prefix="net.advantage")
init = {"Online." + k: v for k, v in a.items()} | {"Target." + k: v + 0.1 * randn(*v.shape) for k, v in a.items()}


def q(p, n, s):
    h = torch.relu(L(p, n + ".net.fc1", s))
    a = L(p, n + ".net.advantage", h)
    return L(p, n + ".net.value", h) + a - a.mean(1, keepdim=True)


def custom(p, data):
    O = {k: v for k, v in p.items() if k[0] == "O"}
    o = torch.optim.Adam(list(O.values()), lr=1e-2)
    losses = []
    for k in range(10):
        b = batches(data, 8, k)
        with torch.no_grad():
            best = q(p, "Online", b["next"]).argmax(1)
            v = b["reward"] + 0.9 * (1 - b["done"]).to(D) * q(p, "Target", b["next"]).gather(1, best[:, None])[:, 0]
        l = F.huber_loss(q(p, "Online", b["s"]).gather(1, b["action"][:, None])[:, 0], v)
        o.zero_grad()
        l.backward()
        torch.nn.utils.clip_grad_value_(list(O.values()), 1)
        o.step()
        losses.append(l.item())
        if (k + 1) % 4 == 0:
            with torch.no_grad():
                [p["Target" + n[6:]].copy_(w) for n, w in O.items()]
    return losses, p


run(
    "dqn",
    init,
    dict(
        s=randn(16, 4),
        action=torch.randint(0, 3, (16,)),
        reward=2 * randn(16),
        next=randn(16, 4),
        done=torch.randint(0, 2, (16,)),
    ),
    None,
    batch=8,
    custom=custom,
)
