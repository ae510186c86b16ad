from reference import *
import math

init = {
    "F": 0.8 * torch.eye(3, dtype=D) + 0.1 * randn(3, 3),
    "H": 0.6 * randn(2, 3),
    "log_q": -1 + 0.2 * randn(3),
    "log_r": -1 + 0.2 * randn(2),
}


def loss(p, b):
    y = b["y"]
    F, H = p["F"], p["H"]
    x = torch.zeros(len(y), 3, dtype=D)
    P = torch.eye(3, dtype=D).expand(len(y), 3, 3)
    Q, R = torch.diag(p["log_q"].exp()), torch.diag(p["log_r"].exp())
    tot = 0
    for t in range(8):
        x = x @ F.T
        P = F @ P @ F.T + Q
        e = y[:, t] - x @ H.T
        S = H @ P @ H.T + R
        K = torch.linalg.solve(S, H @ P).transpose(1, 2)
        tot = tot + 0.5 * (
            torch.logdet(S) + 2 * math.log(2 * math.pi) + (e * torch.linalg.solve(S, e[..., None])[..., 0]).sum(1)
        )
        x = x + (K @ e[..., None])[..., 0]
        P = P - K @ H @ P
    return tot.mean()


run("kalman", init, dict(y=randn(8, 8, 2).cumsum(1) * 0.5), loss, ("Adam", dict(lr=2e-2)), 4)
