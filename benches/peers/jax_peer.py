"""JAX on one workload: `jax_peer.py jit|scan WORKLOAD THREADS`, see rounds.py.

`scan` takes 100 steps in one call, or 10 where a step is long.
"""

import math
import os
import sys

MODE, NAME, THREADS = sys.argv[1:4]
if THREADS == "1":
    os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})

import jax
import jax.numpy as jnp
import numpy as np

from rounds import serve
from workloads import ALL

R = np.random.default_rng(0)
STEPS_OF_A_SCAN = 100 if ALL[NAME]["kind"] in ("mlp", "pinn") and NAME not in ("wide_mlp", "logreg") else 10


def floats(*shape):
    return jnp.asarray(R.random(shape), jnp.float32)


def ints(below, *shape):
    return jnp.asarray(R.integers(0, below, shape))


def uniform(k, *shape):
    return jnp.asarray(R.uniform(-k, k, shape), jnp.float32)


def normal(std, *shape):
    return jnp.asarray(std * R.normal(size=shape), jnp.float32)


def linear(i, o):
    return dict(w=uniform(1 / math.sqrt(i), i, o), b=uniform(1 / math.sqrt(i), o))


def convolution(i, o, k):
    return dict(w=uniform(1 / math.sqrt(i * k * k), k, k, i, o), b=jnp.zeros(o))


def norm(d):
    return dict(g=jnp.ones(d), b=jnp.zeros(d))


def dense(p, x):
    return x @ p["w"] + p["b"]


def conv(p, x, padding):
    layout = ("NHWC", "HWIO", "NHWC")
    return jax.lax.conv_general_dilated(x, p["w"], (1, 1), padding, dimension_numbers=layout) + p["b"]


def pool(x, f, start):
    return jax.lax.reduce_window(x, start, f, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")


def normalise(p, x, axes):
    mean, var = x.mean(axes, keepdims=True), x.var(axes, keepdims=True)
    return (x - mean) * jax.lax.rsqrt(var + 1e-5) * p["g"] + p["b"]


def cross_entropy(z, y):
    return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(z), y[..., None], -1))


def binary_cross_entropy(z, y):
    return jnp.mean(jnp.maximum(z, 0) - z * y + jnp.log1p(jnp.exp(-jnp.abs(z))))


def mlp(w):
    act = {"relu": jax.nn.relu, "tanh": jnp.tanh}[w.get("act", "tanh")]
    p = [linear(i, o) for i, o in zip(w["dims"], w["dims"][1:])]

    def f(p, x):
        for layer in p[:-1]:
            x = act(dense(layer, x))
        return dense(p[-1], x)

    return p, f


def lenet(w):
    p = dict(c1=convolution(1, 6, 5), c2=convolution(6, 16, 5), f1=linear(400, 120), f2=linear(120, 84), f3=linear(84, 10))

    def f(p, x):
        x = pool(jnp.tanh(conv(p["c1"], x, "SAME")), jax.lax.add, 0.0) / 4
        x = pool(jnp.tanh(conv(p["c2"], x, "VALID")), jax.lax.add, 0.0) / 4
        x = jnp.tanh(dense(p["f1"], x.reshape(x.shape[0], -1)))
        return dense(p["f3"], jnp.tanh(dense(p["f2"], x)))

    return p, f


def cnn(w):
    (depth, size), (one, two), k = w["image"], w["channels"], w["kernel"]
    blocks = dict(c1=convolution(depth, one, k), b1=norm(one), c2=convolution(one, two, k), b2=norm(two))
    p = dict(**blocks, f1=linear(two * (size // 4) ** 2, w["hidden"]), f2=linear(w["hidden"], 10))

    def f(p, x):
        for c, b in (("c1", "b1"), ("c2", "b2")):
            x = jax.nn.relu(normalise(p[b], conv(p[c], x, "SAME"), (0, 1, 2)))
            x = pool(x, jax.lax.max, -jnp.inf)
        return dense(p["f2"], jax.nn.relu(dense(p["f1"], x.reshape(x.shape[0], -1))))

    return p, f


def lstm(w):
    hidden, batch = w["hidden"], w["batch"]
    p = dict(e=normal(1, w["vocab"], w["embed"]), i=linear(w["embed"], 4 * hidden), h=linear(hidden, 4 * hidden), o=linear(hidden, w["vocab"]))

    def f(p, x):
        xs = jnp.swapaxes(dense(p["i"], p["e"][x]), 0, 1)

        def cell(state, xt):
            h, c = state
            i, g, q, o = jnp.split(xt + dense(p["h"], h), 4, -1)
            c = jax.nn.sigmoid(g) * c + jax.nn.sigmoid(i) * jnp.tanh(q)
            h = jax.nn.sigmoid(o) * jnp.tanh(c)
            return (h, c), h

        zeros = jnp.zeros((batch, hidden))
        return dense(p["o"], jnp.swapaxes(jax.lax.scan(cell, (zeros, zeros), xs)[1], 0, 1))

    return p, f


def gpt(w):
    d, heads, T = w["dim"], w["heads"], w["seq"]
    block = lambda: dict(n1=norm(d), qkv=linear(d, 3 * d), p=linear(d, d), n2=norm(d), f1=linear(d, 4 * d), f2=linear(4 * d, d))
    p = dict(e=normal(0.02, w["vocab"], d), pos=normal(0.02, T, d), n=norm(d), o=linear(d, w["vocab"])["w"], b=[block() for _ in range(w["layers"])])
    mask = jnp.tril(jnp.ones((T, T), bool))

    def f(p, x):
        B = x.shape[0]
        x = p["e"][x] + p["pos"]
        for b in p["b"]:
            parts = jnp.split(dense(b["qkv"], normalise(b["n1"], x, -1)), 3, -1)
            q, k, v = [t.reshape(B, T, heads, d // heads) for t in parts]
            s = jnp.einsum("bihd,bjhd->bhij", q, k) / math.sqrt(d // heads)
            s = jax.nn.softmax(jnp.where(mask, s, -1e9))
            x = x + dense(b["p"], jnp.einsum("bhij,bjhd->bihd", s, v).reshape(B, T, d))
            x = x + dense(b["f2"], jax.nn.gelu(dense(b["f1"], normalise(b["n2"], x, -1)), approximate=False))
        return normalise(p["n"], x, -1) @ p["o"]

    return p, f


def words(w):
    p = dict(e=normal(1, w["vocab"], w["embed"]), o=linear(w["embed"], 2))
    return p, lambda p, x: dense(p["o"], p["e"][x].mean(1))


def tables(w):
    q, f = mlp(dict(w, act="relu"))
    p = dict(t=[normal(1, w["rows"], w["embed"]) for _ in range(w["tables"])], m=q)

    def g(p, x):
        c, n = x
        return f(p["m"], jnp.concatenate([t[c[:, i]] for i, t in enumerate(p["t"])] + [n], 1))

    return p, g


def residual(f):
    """Of the Burgers equation at each point."""

    def loss(p, x, y):
        def at(point):
            u = lambda a, b: f(p, jnp.stack([a, b]))[0]
            ux = jax.grad(u, 0)
            return jax.grad(u, 1)(*point) + u(*point) * ux(*point) - 0.01 / math.pi * jax.grad(ux, 0)(*point)

        return jnp.mean(jax.vmap(at)(x) ** 2)

    return loss


def problem(w):
    """Parameters, loss, inputs and targets."""
    kind, batch = w["kind"], w["batch"]
    known = dict(mlp=mlp, pinn=mlp, lenet=lenet, cnn=cnn, lstm=lstm, gpt=gpt, words=words, tables=tables)
    p, f = known[kind](w)
    classes = lambda p, x, y: cross_entropy(f(p, x), y)
    if kind == "pinn":
        return p, residual(f), floats(batch, 2), jnp.zeros(batch)
    if kind == "mlp" and w["loss"] == "bce":
        targets = ints(2, batch, 1).astype(jnp.float32)
        return p, lambda p, x, y: binary_cross_entropy(f(p, x), y), floats(batch, w["dims"][0]), targets
    if kind == "words":
        return p, classes, ints(w["vocab"], batch, w["seq"]), ints(2, batch)
    if kind == "tables":
        x = ints(w["rows"], batch, w["tables"]), normal(1, batch, w["numbers"])
        return p, lambda p, x, y: jnp.mean((f(p, x) - y) ** 2), x, normal(1, batch, 1)
    if kind == "mlp":
        return p, classes, floats(batch, w["dims"][0]), ints(w["dims"][-1], batch)
    if kind in ("lenet", "cnn"):
        depth, size = w.get("image", (1, 28))
        return p, classes, floats(batch, size, size, depth), ints(10, batch)
    return p, classes, ints(w["vocab"], batch, w["seq"]), ints(w["vocab"], batch, w["seq"])


def update(kind, lr, p, s, g):
    each = jax.tree.map
    if kind == "sgd":
        return each(lambda p, g: p - lr * g, p, g), s
    if kind == "momentum":
        s = each(lambda m, g: 0.9 * m + g, s, g)
        return each(lambda p, m: p - lr * m, p, s), s
    m, v, n = s
    n = n + 1
    m = each(lambda m, g: 0.9 * m + 0.1 * g, m, g)
    v = each(lambda v, g: 0.999 * v + 0.001 * g * g, v, g)
    decay = 0.01 if kind == "adamw" else 0.0
    new = lambda p, m, v: p - lr * (m / (1 - 0.9**n) / (jnp.sqrt(v / (1 - 0.999**n)) + 1e-8) + decay * p)
    return each(new, p, m, v), (m, v, n)


def build():
    w = ALL[NAME]
    p, loss, x, y = problem(w)
    zeros = lambda: jax.tree.map(jnp.zeros_like, p)
    s = {"sgd": lambda: jnp.float32(0), "momentum": zeros}.get(w["opt"], lambda: (zeros(), zeros(), jnp.float32(0)))()

    def one(p, s):
        l, g = jax.value_and_grad(loss)(p, x, y)
        p, s = update(w["opt"], w["lr"], p, s, g)
        return p, s, l

    def many(p, s):
        def body(carry, _):
            p, s, l = one(*carry)
            return (p, s), l

        (p, s), l = jax.lax.scan(body, (p, s), None, length=STEPS_OF_A_SCAN)
        return p, s, l

    f = jax.jit(many if MODE == "scan" else one, donate_argnums=(0, 1))
    state = [p, s]

    def step():
        state[0], state[1], l = f(*state)
        jax.block_until_ready(l)

    return step, STEPS_OF_A_SCAN if MODE == "scan" else 1


if __name__ == "__main__":
    serve(build)
