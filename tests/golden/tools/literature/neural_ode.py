from reference import *
import torch.nn.functional as F

init = lin(3, 8, prefix="velocity.fc1") | lin(8, 2, prefix="velocity.fc2")


def f(p, x, t):
    return L(
        p, "velocity.fc2", torch.tanh(L(p, "velocity.fc1", torch.cat([x, torch.full((len(x), 1), t, dtype=D)], 1)))
    )


def loss(p, b):
    x, S = b["x"], 6
    dt = 1 / S
    for s in range(S):
        t = s / S
        k1 = f(p, x, t)
        k2 = f(p, x + dt / 2 * k1, t + dt / 2)
        k3 = f(p, x + dt / 2 * k2, t + dt / 2)
        k4 = f(p, x + dt * k3, t + dt)
        x = x + dt / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    return F.mse_loss(x, b["y"])


x = randn(16, 2)
run("neural_ode", init, dict(x=x, y=torch.stack([-x[:, 1], x[:, 0]], 1)), loss, ("RMSprop", dict(lr=1e-2)), 8)
