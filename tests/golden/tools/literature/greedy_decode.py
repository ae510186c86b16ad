from reference import *
import torch.nn as nn, torch.nn.functional as F

torch.set_default_dtype(D)


class M(nn.Module):
    def __init__(s):
        super().__init__()
        s.tok, s.transformer, s.head = (
            nn.Embedding(7, 8),
            nn.Transformer(8, 2, 1, 1, 12, 0.0, batch_first=True),
            nn.Linear(8, 6),
        )

    def forward(s, src, tgt):
        def e(i):
            t = torch.arange(i.shape[1])[:, None]
            f = 10000 ** (-torch.arange(0, 8, 2) / 8)
            return s.tok(i) + torch.stack([(t * f).sin(), (t * f).cos()], -1).flatten(1)

        pad = src == 0
        m = torch.ones(tgt.shape[1], tgt.shape[1], dtype=torch.bool).triu(1)
        return s.head(s.transformer(e(src), e(tgt), tgt_mask=m, src_key_padding_mask=pad, memory_key_padding_mask=pad))


init = M().state_dict()
src = torch.randint(1, 7, (8, 5))
src[torch.arange(5)[None] >= torch.randint(3, 6, (8, 1))] = 0
tgt = torch.randint(0, 6, (8, 4))
giv = torch.cat([torch.full((8, 1), 6), tgt[:, :-1]], 1)


def custom(p, data):
    m = M()
    m.train()
    m.load_state_dict(p)
    o = torch.optim.SGD(m.parameters(), lr=0.3)
    losses = []
    for k in range(10):
        b = batches(data, 4, k)
        o.zero_grad()
        l = F.cross_entropy(m(b["source"], b["given"]).flatten(0, 1), b["target"].flatten())
        l.backward()
        o.step()
        losses.append(l.item())
    return losses, m.state_dict()


run("greedy_decode", init, dict(source=src, given=giv, target=tgt), None, batch=4, custom=custom)
