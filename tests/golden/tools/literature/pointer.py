from reference import *
import torch.nn.functional as F, torch.nn as nn

torch.set_default_dtype(D)
encoder, cell = nn.LSTM(1, 6, batch_first=True), nn.LSTMCell(1, 6)
init = {"encoder." + k: v.detach() for k, v in encoder.state_dict().items()}
init |= {"cell." + k: v.detach() for k, v in cell.state_dict().items()}
init |= lin(6, 6, bias=False, prefix="keys") | lin(6, 6, bias=False, prefix="query") | {"v": uni(0.4, 6)}


def part(p, name):
    return {k.removeprefix(name): v for k, v in p.items() if k.startswith(name)}


def loss(p, b):
    e, (h, c) = torch.func.functional_call(encoder, part(p, "encoder."), (b["x"],))
    h, c, given, scores = h[0], c[0], torch.zeros(len(e), 1), []
    keys, order = L(p, "keys", e), b["order"].long()
    for t in range(5):
        h, c = torch.func.functional_call(cell, part(p, "cell."), (given, (h, c)))
        scores.append(torch.tanh(keys + L(p, "query", h)[:, None]) @ p["v"])
        given = b["x"].gather(1, order[:, t, None, None])[:, 0]
    return F.cross_entropy(torch.stack(scores, 2), order)


x = randn(8, 5, 1)
run("pointer", init, dict(x=x, order=x[..., 0].argsort(1)), loss, ("Adam", dict(lr=1e-2)), 4)
