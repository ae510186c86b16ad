from reference import *
import torch.nn.functional as F

init = lin(4, 12, prefix="up") | lin(6, 2, prefix="down") | {"norm.weight": torch.ones(6, dtype=D)}
init |= {"conv.weight": uni(0.5, 6, 1, 3), "conv.bias": uni(0.5, 6)}
init |= {"ssm.log_a": randn(6, 3) / 2, "ssm.skip": torch.ones(6, dtype=D)}
init |= lin(6, 8, bias=False, prefix="ssm.read") | lin(2, 6, prefix="ssm.step_size")


def selective(p, x):
    read = L(p, "ssm.read", x)
    dt, b, c = F.softplus(L(p, "ssm.step_size", read[..., :2])), read[..., 2:5], read[..., 5:]
    h, ys = torch.zeros(len(x), 6, 3, dtype=D), []
    for t in range(x.shape[1]):
        h = torch.exp(-dt[:, t, :, None] * p["ssm.log_a"].exp()) * h + dt[:, t, :, None] * b[:, t, None] * x[:, t, :, None]
        ys.append((h * c[:, t, None]).sum(-1))
    return torch.stack(ys, 1) + p["ssm.skip"] * x


def loss(p, b):
    h, gate = L(p, "up", b["x"]).chunk(2, -1)
    h = F.conv1d(F.pad(h.transpose(1, 2), (2, 0)), p["conv.weight"], p["conv.bias"], groups=6)
    h = F.rms_norm(selective(p, F.silu(h.transpose(1, 2))), (6,), p["norm.weight"], 1e-5)
    return F.mse_loss(L(p, "down", h * F.silu(gate)), b["y"])


x = randn(8, 7, 4)
run("mamba", init, dict(x=x, y=x.cumsum(1)[..., :2]), loss, ("AdamW", dict(lr=1e-2)), 4)
