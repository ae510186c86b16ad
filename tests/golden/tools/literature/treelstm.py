from reference import *
import torch.nn.functional as F, random

H = 5
init = {
    "tok.weight": randn(6, 4),
    "tree.w": uni(0.45, 25, 4),
    "tree.u_left": uni(0.45, 25, H),
    "tree.u_right": uni(0.45, 25, H),
    "tree.bias": uni(0.3, 25),
    **lin(H, 3, prefix="fc"),
}


def loss(p, b):
    tot = []
    for i in range(len(b["y"])):
        hs, cs = [], []
        zero = torch.zeros(H, dtype=D)
        for n in range(7):
            l, r = int(b["left"][i, n]), int(b["right"][i, n])
            g = lambda s, k: s[k] if 0 <= k < len(s) else zero
            a, fl, fr, o, u = (
                p["tree.w"] @ p["tok.weight"][b["words"][i, n]]
                + p["tree.bias"]
                + p["tree.u_left"] @ g(hs, l)
                + p["tree.u_right"] @ g(hs, r)
            ).chunk(5)
            c = torch.sigmoid(a) * torch.tanh(u) + torch.sigmoid(fl) * g(cs, l) + torch.sigmoid(fr) * g(cs, r)
            hs.append(torch.sigmoid(o) * torch.tanh(c))
            cs.append(c)
        tot.append(hs[int(b["root"][i])])
    return F.cross_entropy(L(p, "fc", torch.stack(tot)), b["y"])


random.seed(1)
Lc, Rc, root = [], [], []
for _ in range(8):
    k = random.choice([2, 3, 4])
    l, r = [-1] * 7, [-1] * 7
    free = list(range(k))
    n = k
    while len(free) > 1:
        a, c = free.pop(random.randrange(len(free))), free.pop(random.randrange(len(free)))
        l[n], r[n] = a, c
        free.append(n)
        n += 1
    Lc.append(l)
    Rc.append(r)
    root.append(n - 1)
run(
    "treelstm",
    init,
    dict(
        words=torch.randint(0, 6, (8, 7)),
        left=torch.tensor(Lc),
        right=torch.tensor(Rc),
        root=torch.tensor(root),
        y=torch.randint(0, 3, (8,)),
    ),
    loss,
    ("Adagrad", dict(lr=0.05)),
    4,
)
