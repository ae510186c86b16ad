from reference import *
import torch.nn.functional as F, torch.nn as nn

torch.set_default_dtype(D)
rnn, fc = nn.GRU(3, 5, batch_first=True, bidirectional=True), nn.Linear(10, 2)
init = {"rnn." + k: v.detach() for k, v in rnn.state_dict().items()} | {
    "fc." + k: v.detach() for k, v in fc.state_dict().items()
}


def loss(p, b):
    n = b["length"]
    pk = nn.utils.rnn.pack_padded_sequence(b["x"], n, batch_first=True, enforce_sorted=False)
    out, h = torch.func.functional_call(rnn, {k[4:]: v for k, v in p.items() if k.startswith("rnn.")}, (pk,))
    out, _ = nn.utils.rnn.pad_packed_sequence(out, batch_first=True, total_length=7)
    return F.cross_entropy(L(p, "fc", out.sum(1) / n[:, None] + torch.cat([h[0], h[1]], 1)), b["y"])


run(
    "ragged_gru",
    init,
    dict(x=randn(8, 7, 3), length=torch.tensor([7, 3, 5, 1, 2, 7, 6, 4]), y=torch.randint(0, 2, (8,))),
    loss,
    ("NAdam", dict(lr=1e-2)),
    4,
)
