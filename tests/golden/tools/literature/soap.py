from reference import *
import torch.nn.functional as F

# Square matrices: the eigenvectors of the first step are those of one gradient, which are told apart where it has full
# rank.
init = lin(4, 4, bias=False, prefix="fc1") | lin(4, 4, bias=False, prefix="fc2")
LR, B1, B2, EPS, DECAY, FREQUENCY = 0.02, 0.9, 0.95, 1e-8, 0.1, 3


def iterated(q, a):
    order = torch.argsort(torch.diag(q.T @ a @ q), descending=True)
    return torch.linalg.qr(a @ q[:, order])[0], order


def change(p, g, state, k):
    """As the published program, which keeps the mean of gradients in the basis; here it is turned into it."""
    outer = [g @ g.T, g.T @ g]
    if k == 1:
        state["gg"] = [(1 - B2) * new for new in outer]
        state["q"] = [torch.linalg.eigh(mean)[1].flip(1) for mean in state["gg"]]
        state["m"], state["v"] = torch.zeros_like(p), torch.zeros_like(p)
        return
    left, right = state["q"]
    state["m"].mul_(B1).add_((1 - B1) * g)
    state["v"].mul_(B2).add_((1 - B2) * (left.T @ g @ right) ** 2)
    move = left @ ((left.T @ state["m"] @ right) / (state["v"].sqrt() + EPS)) @ right.T
    p.sub_(LR * (1 - B2 ** (k - 1)) ** 0.5 / (1 - B1 ** (k - 1)) * move)
    p.mul_(1 - LR * DECAY)
    for mean, new in zip(state["gg"], outer):
        mean.lerp_(new, 1 - B2)
    if (k - 1) % FREQUENCY == 0:
        (left, i), (right, j) = (iterated(q, mean) for q, mean in zip(state["q"], state["gg"]))
        state["q"], state["v"] = [left, right], state["v"][i][:, j]


def custom(p, data):
    losses, states = [], {name: {} for name in p}
    for k in range(12):
        b = batches(data, 8, k)
        l = F.cross_entropy(L(p, "fc2", torch.tanh(L(p, "fc1", b["x"]))), b["y"])
        losses.append(l.item())
        grads = torch.autograd.grad(l, list(p.values()))
        with torch.no_grad():
            for (name, value), grad in zip(p.items(), grads):
                change(value, grad, states[name], k + 1)
    return losses, p


run("soap", init, dict(x=randn(24, 4), y=torch.randint(0, 4, (24,))), None, custom=custom)
