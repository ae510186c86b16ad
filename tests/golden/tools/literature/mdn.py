from reference import *
import torch.nn.functional as F

init = lin(1, 10, prefix="body") | lin(10, 3, prefix="weights") | lin(10, 3, prefix="means") | lin(10, 3, prefix="widths")


def loss(p, b):
    h = torch.tanh(L(p, "body", b["x"]))
    density = torch.distributions.Normal(L(p, "means", h), L(p, "widths", h).exp())
    return -torch.logsumexp(F.log_softmax(L(p, "weights", h), 1) + density.log_prob(b["y"][:, None]), 1).mean()


y = randn(16)
run("mdn", init, dict(x=(y + torch.sin(3 * y))[:, None], y=y), loss, ("Adam", dict(lr=2e-2)), 8)
