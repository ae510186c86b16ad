from reference import *
import math

init = {
    "log_scale": 0.3 * randn(2),
    "log_variance": torch.tensor(0.2, dtype=D),
    "log_noise": torch.tensor(-2.0, dtype=D),
}


def kern(p, a, b):
    d = (a[:, None] - b[None]) * torch.exp(-p["log_scale"])
    return torch.exp(p["log_variance"] - 0.5 * (d**2).sum(-1))


def loss(p, b):
    x, y = b["x"], b["y"]
    K = kern(p, x, x) + p["log_noise"].exp() * torch.eye(len(x), dtype=D)
    l = torch.linalg.cholesky(K)
    z = torch.linalg.solve_triangular(l, y[:, None], upper=False)
    return 0.5 * (z**2).sum() + l.diag().log().sum() + 0.5 * len(x) * math.log(2 * math.pi)


x = randn(12, 2)
run("gp", init, dict(x=x, y=torch.sin(2 * x[:, 0]) + x[:, 1] ** 2 + 0.1 * randn(12)), loss, ("Adam", dict(lr=0.1)), 12)
