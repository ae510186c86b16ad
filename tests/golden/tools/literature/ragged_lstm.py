from reference import *
import torch.nn.functional as F, torch.nn as nn

torch.set_default_dtype(D)
pack, pad = nn.utils.rnn.pack_padded_sequence, nn.utils.rnn.pad_packed_sequence
lstm, rnn = nn.LSTM(3, 4, 2, batch_first=True, bidirectional=True), nn.RNN(8, 4, batch_first=True, nonlinearity="relu")
parts = {"lstm": lstm, "rnn": rnn}
init = {f"{name}.{k}": v.detach() for name, net in parts.items() for k, v in net.state_dict().items()}
init |= lin(12, 2, prefix="fc")


def called(p, name, x, n):
    own = {k.removeprefix(name + "."): v for k, v in p.items() if k.startswith(name + ".")}
    packed = pack(x, n, batch_first=True, enforce_sorted=False)
    out, last = torch.func.functional_call(parts[name], own, (packed,))
    return pad(out, batch_first=True, total_length=6)[0], last


def loss(p, b):
    out, (h, c) = called(p, "lstm", b["x"], b["length"])
    _, last = called(p, "rnn", out, b["length"])
    y = L(p, "fc", torch.cat([h[2], h[3], last[0]], 1))
    return F.cross_entropy(y, b["y"].long()) + (c**2).mean()


n = torch.tensor([6, 3, 5, 1, 2, 6, 4, 4])
run("ragged_lstm", init, dict(x=randn(8, 6, 3), length=n, y=torch.randint(0, 2, (8,))), loss, ("Adam", dict(lr=1e-2)), 4)
