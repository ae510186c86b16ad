from reference import *
import torch.nn.functional as F

init = {"cell.W": 0.15 * randn(6, 6), "cell.U": uni(0.5, 6, 3), "cell.b": uni(0.3, 6), **lin(6, 2, prefix="out")}


def loss(p, b):  # through all iterations
    z = torch.zeros(8, 6, dtype=D)
    for _ in range(61):
        z = torch.tanh(z @ p["cell.W"].T + b["x"] @ p["cell.U"].T + p["cell.b"])
    return F.mse_loss(L(p, "out", z), b["y"])


run("deq", init, dict(x=randn(16, 3), y=randn(16, 2)), loss, ("SGD", dict(lr=0.1)), 8)
