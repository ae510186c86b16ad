from reference import *
import torch.nn.functional as F

init = {"conv.weight": uni(1 / 3, 8, 1, 3, 3), "conv.bias": uni(1 / 3, 8), "digits.weight": 0.3 * randn(8, 3, 5, 4)}


def squash(s):
    n2 = (s**2).sum(-1, keepdim=True)
    return s * n2 / (1 + n2) / (n2 + 1e-8).sqrt()


def loss(p, b):
    u = F.conv2d(b["x"], p["conv.weight"], p["conv.bias"], stride=2)
    B = len(u)
    u = squash(u.view(B, 2, 4, 2, 2).permute(0, 1, 3, 4, 2).reshape(B, 8, 4))
    votes = torch.einsum("ijdc,bic->bijd", p["digits.weight"], u)
    lg = torch.zeros(B, 8, 3, dtype=D)
    for _ in range(3):
        v = squash(torch.einsum("bij,bijd->bjd", lg.softmax(-1), votes))
        lg = lg + torch.einsum("bijd,bjd->bij", votes, v)
    n = ((v**2).sum(-1) + 1e-8).sqrt()
    t = F.one_hot(b["y"], 3)
    return (t * (0.9 - n).clamp(min=0) ** 2 + 0.5 * (1 - t) * (n - 0.1).clamp(min=0) ** 2).sum(1).mean()


run("capsule", init, dict(x=randn(8, 1, 6, 6), y=torch.randint(0, 3, (8,))), loss, ("Adam", dict(lr=1e-2)), 4)
