from reference import *
import torch.nn.functional as F, torch.nn as nn

torch.set_default_dtype(D)
rnn = nn.GRU(3, 6, batch_first=True)
init = {"gru1." + k: v.detach() for k, v in rnn.state_dict().items()} | lin(6, 5, prefix="linear1")


def loss(p, b):
    h, _ = torch.func.functional_call(rnn, {k[5:]: v for k, v in p.items() if k.startswith("gru1.")}, (b["x"],))
    z = F.log_softmax(L(p, "linear1", h), -1).transpose(0, 1)
    rows = len(b["y"])
    return F.ctc_loss(z, b["y"].long(), torch.full((rows,), 9), torch.full((rows,), 3))


# With repeated letters, between which a blank must stand.
y = torch.tensor([[1, 2, 3], [1, 1, 2], [4, 4, 4], [2, 3, 2], [1, 4, 1], [3, 3, 1], [2, 2, 4], [4, 1, 3]])
run("ctc", init, dict(x=randn(8, 9, 3), y=y), loss, ("Adam", dict(lr=1e-2)), 4)
