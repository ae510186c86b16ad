from reference import *
import torch.nn.functional as F

init = {}
for n, i, o in (("fc1", 4, 8), ("fc2", 8, 3)):
    init |= {
        n + ".weight": uni(i**-0.5, o, i),
        n + ".bias": uni(i**-0.5, o),
        n + ".lora_A": uni(i**-0.5, 2, i),
        n + ".lora_B": torch.zeros(o, 2, dtype=D),
    }


def ad(p, n, x):
    return x @ p[n + ".weight"].T + p[n + ".bias"] + 1.0 * (x @ p[n + ".lora_A"].T @ p[n + ".lora_B"].T)


def custom(p, data):
    o = torch.optim.AdamW([v for k, v in p.items() if "lora" in k], lr=1e-2, weight_decay=0.1)
    losses = []
    for k in range(10):
        b = batches(data, 8, k)
        o.zero_grad()
        l = F.cross_entropy(ad(p, "fc2", F.gelu(ad(p, "fc1", b["x"]))), b["y"])
        l.backward()
        o.step()
        losses.append(l.item())
    return losses, p


run("lora", init, dict(x=randn(16, 4), y=torch.randint(0, 3, (16,))), None, batch=8, custom=custom)
