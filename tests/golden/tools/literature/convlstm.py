from reference import *
import torch.nn.functional as F

init = {
    "rnn.weight": uni(0.2, 12, 4, 3, 3),
    "rnn.bias": uni(0.2, 12),
    "out.weight": uni(0.5, 1, 3, 1, 1),
    "out.bias": uni(0.5, 1),
}


def loss(p, b):
    x = b["x"]
    B = len(x)
    h = c = torch.zeros(B, 3, 5, 5, dtype=D)
    ys = []
    for t in range(4):
        i, f, o, g = F.conv2d(torch.cat([x[:, t], h], 1), p["rnn.weight"], p["rnn.bias"], padding=1).chunk(4, 1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        h = torch.sigmoid(o) * torch.tanh(c)
        ys.append(F.conv2d(h, p["out.weight"], p["out.bias"]))
    return F.mse_loss(torch.stack(ys, 1), b["y"])


run("convlstm", init, dict(x=randn(6, 4, 1, 5, 5), y=randn(6, 4, 1, 5, 5)), loss, ("Adam", dict(lr=1e-2)), 3)
