from reference import *
import torch.nn.functional as F

point = lambda i, o, name: {f"{name}.weight": uni(i**-0.5, o, i, 1), f"{name}.bias": uni(i**-0.5, o)}
init = point(1, 4, "lift") | point(4, 4, "skip1") | point(4, 4, "skip2") | point(4, 1, "project")
init |= {f"mix{k}.{part}": 0.3 * randn(4, 4, 3) for k in (1, 2) for part in ("real", "imag")}


def mixed(p, name, x):
    f = torch.fft.rfft(x)
    weights = torch.complex(p[f"{name}.real"], p[f"{name}.imag"])
    return torch.fft.irfft(F.pad(torch.einsum("bik,iok->bok", f[..., :3], weights), (0, 4)), n=12)


def loss(p, b):
    conv = lambda name, x: F.conv1d(x, p[f"{name}.weight"], p[f"{name}.bias"])
    h = conv("lift", b["x"][:, None])
    h = F.gelu(mixed(p, "mix1", h) + conv("skip1", h))
    h = mixed(p, "mix2", h) + conv("skip2", h)
    return F.mse_loss(conv("project", h)[:, 0], b["y"])


x = randn(8, 12)
run("fno", init, dict(x=x, y=x.roll(1, 1) - x), loss, ("Adam", dict(lr=1e-2)), 4)
