from reference import *

init = {}
for k in range(3):
    init |= lin(3, 1, prefix=f"Net{k}.ridge1.fc")


def custom(p, data):
    losses = []
    x, y, f = data["x"], data["y"], data["fold"]
    for k in range(3):
        q = [p[f"Net{k}.ridge1.fc.weight"], p[f"Net{k}.ridge1.fc.bias"]]
        o = torch.optim.SGD(q, lr=0.1, weight_decay=0.01)
        e = lambda m: ((x @ q[0].T + q[1])[:, 0] - y)[m].pow(2).mean()
        for _ in range(5):
            o.zero_grad()
            l = e(f != k)
            l.backward()
            o.step()
            losses.append(l.item())
    return losses, p


x = randn(12, 3)
run(
    "kfold",
    init,
    dict(x=x, y=x @ torch.tensor([1.0, -2.0, 0.5], dtype=D) + 0.1 * randn(12), fold=torch.arange(12) % 3),
    None,
    custom=custom,
)
