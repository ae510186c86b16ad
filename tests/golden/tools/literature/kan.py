from reference import *
import torch.nn.functional as F

C, O = 4, 3
grid = torch.arange(-O, C + O + 1, dtype=D) * (2 / C) - 1
init = {}
for n, i, o in (("l1", 2, 5), ("l2", 5, 1)):
    init[n + ".base_weight"] = uni((6 / (i + o)) ** 0.5, o, i)
    init[n + ".spline_weight"] = 0.1 * randn(o, i, C + O)


def bases(x):
    x = x[..., None]
    s = ((x >= grid[:-1]) & (x < grid[1:])).to(D)
    for k in range(1, O + 1):
        s = (x - grid[: -k - 1]) / (grid[k:-1] - grid[: -k - 1]) * s[..., :-1] + (grid[k + 1 :] - x) / (
            grid[k + 1 :] - grid[1:-k]
        ) * s[..., 1:]
    return s


def layer(p, n, x):
    return F.silu(x) @ p[n + ".base_weight"].T + torch.einsum("big,oig->bo", bases(x), p[n + ".spline_weight"])


x = uni(0.95, 16, 2)
run(
    "kan",
    init,
    dict(x=x, y=torch.sin(3 * x[:, :1]) * x[:, 1:]),
    lambda p, b: F.mse_loss(layer(p, "l2", torch.tanh(layer(p, "l1", b["x"]))), b["y"]),
    ("Adam", dict(lr=1e-2)),
    8,
)
