from reference import *
import torch.nn.functional as F

init = {
    "tasks.weight": randn(4, 5),
    **lin(5, 18, prefix="main1.weight"),
    **lin(5, 6, prefix="main1.bias"),
    **lin(5, 12, prefix="main2.weight"),
    **lin(5, 2, prefix="main2.bias"),
}


def hyper(p, n, x, z, o):
    w = L(p, n + ".weight", z).view(len(x), o, -1)
    return (w @ x[..., None])[..., 0] / x.shape[1] ** 0.5 + L(p, n + ".bias", z)


def loss(p, b):
    z = p["tasks.weight"][b["task"]]
    return F.huber_loss(hyper(p, "main2", torch.tanh(hyper(p, "main1", b["x"], z, 6)), z, 2), b["y"])


run(
    "hypernet",
    init,
    dict(x=randn(16, 3), task=torch.randint(0, 4, (16,)), y=2 * randn(16, 2)),
    loss,
    ("RAdam", dict(lr=1e-2)),
    8,
)
