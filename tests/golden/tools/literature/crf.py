from reference import *

K, T = 4, 6
init = (
    lin(3, 6, prefix="Scores.fc1")
    | lin(6, K, prefix="Scores.fc2")
    | {"Chain.transitions": uni(0.5, K, K), "Chain.start": uni(0.5, K), "Chain.end": uni(0.5, K)}
)


def scores(p, x):
    return L(p, "Scores.fc2", torch.tanh(L(p, "Scores.fc1", x)))


def path(p, s, y, n):
    v = p["Chain.start"][y[0]] + p["Chain.end"][y[n - 1]] + sum(s[t, y[t]] for t in range(n))
    return v + sum(p["Chain.transitions"][y[t], y[t + 1]] for t in range(n - 1))


def loss(p, b):
    s = scores(p, b["x"])
    tot = 0
    for i in range(len(s)):
        n = int(b["length"][i])
        a = s[i, 0] + p["Chain.start"]
        for t in range(1, n):
            a = torch.logsumexp(a[:, None] + p["Chain.transitions"] + s[i, t][None], 0)
        tot = tot + torch.logsumexp(a + p["Chain.end"], 0) - path(p, s[i], b["tags"][i], n)
    return tot / len(s)


data = dict(x=randn(8, T, 3), tags=torch.randint(0, K, (8, T)), length=torch.tensor([6, 5, 3, 1, 6, 4, 2, 6]))
run("crf", init, data, loss, ("Adam", dict(lr=2e-2)), 4)
