from reference import *
import torch.nn.functional as F, torch.nn as nn

torch.set_default_dtype(D)
rnn = nn.LSTM(5, 7, batch_first=True)
init = {
    "tok.weight": randn(6, 5),
    **lin(7, 6, prefix="head"),
    **{"rnn." + k: v.detach() for k, v in rnn.state_dict().items()},
    "h": torch.zeros(1, 4, 7),
    "c": torch.zeros(1, 4, 7),
}


def custom(p, data):
    h, c = p.pop("h").detach(), p.pop("c").detach()
    o = torch.optim.Adam(list(p.values()), lr=1e-2)
    losses = []
    for k in range(10):
        b = batches(data, 4, k)
        y, (h, c) = torch.func.functional_call(
            rnn, {n[4:]: v for n, v in p.items() if n.startswith("rnn.")}, (p["tok.weight"][b["x"]], (h, c))
        )
        h, c = h.detach(), c.detach()
        l = F.cross_entropy(L(p, "head", y).flatten(0, 1), b["y"].flatten())
        o.zero_grad()
        l.backward()
        nn.utils.clip_grad_norm_(list(p.values()), 0.25)
        o.step()
        losses.append(l.item())
    return losses, p | {"h": h, "c": c}


s = torch.randint(0, 6, (4, 51))
x = s[:, :50].reshape(4, 10, 5).transpose(0, 1).reshape(40, 5)
y = s[:, 1:].reshape(4, 10, 5).transpose(0, 1).reshape(40, 5)
run("tbptt", init, dict(x=x, y=y), None, batch=4, custom=custom)
