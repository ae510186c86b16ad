from reference import *
import torch.nn.functional as F

init = {"energy.fc1.weight": uni(0.5, 8, 4), "energy.fc1.bias": uni(0.3, 8), "energy.fc2.weight": uni(0.6, 8, 8), "energy.fc2.bias": uni(0.3, 8), "energy.out": uni(0.6, 8)}


def H(q, p, w):
    return torch.tanh(torch.tanh(torch.cat([q, p], 1) @ w["energy.fc1.weight"].T + w["energy.fc1.bias"]) @ w["energy.fc2.weight"].T + w["energy.fc2.bias"]) @ w["energy.out"]


def g(q, p, w, i):
    q, p = q.clone(), p.clone()
    return torch.autograd.grad(H(q, p, w).sum(), (q, p)[i], create_graph=True)[0]  # partial: clones cut p off from q


def loss(w, b):
    q, p = b["q"].clone().requires_grad_(True), b["p"].clone().requires_grad_(True)
    out = []
    for _ in range(5):
        h = p - 0.1 * g(q, p, w, 0)
        q = q + 0.2 * g(q, h, w, 1)
        p = h - 0.1 * g(q, h, w, 0)
        out.append(torch.cat([q, p], 1))
    return F.mse_loss(torch.stack(out, 1), b["y"])


run("hnn", init, dict(q=randn(8, 2), p=randn(8, 2), y=randn(8, 5, 4)), loss, ("Adam", dict(lr=1e-2)), 4)
