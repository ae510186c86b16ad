"""Single operations: each case is a function in PyTorch and the function `op` in the language.

`positive` inputs lie in 0.1..1.1, `labels` are -1 or 1, `bits` 0 or 1, an int range gives class numbers.
"""

import torch
from torch.nn import functional as F

CASES = []


def op(name, shapes, call, text):
    """`shapes` maps inputs to a shape, or to (kind, shape)."""
    CASES.append((name, shapes, call, text))


# Activations.
X = {"x": [4, 5]}
op("celu", X, lambda x: F.celu(x, 0.7), "fn op(x) = celu(x, alpha = 0.7)")
op("softshrink", X, lambda x: F.softshrink(x, 0.4), "fn op(x) = softshrink(x, lambda = 0.4)")
op("hardshrink", X, lambda x: F.hardshrink(x, 0.4), "fn op(x) = hardshrink(x, lambda = 0.4)")
op("tanhshrink", X, F.tanhshrink, "fn op(x) = tanhshrink(x)")
op("threshold", X, lambda x: F.threshold(x, 0.2, -3), "fn op(x) = threshold(x, 0.2, value = -3)")
op("hardtanh_wide", X, lambda x: F.hardtanh(x, -0.5, 2), "fn op(x) = hardtanh(x, lo = -0.5, hi = 2)")
op("elu_alpha", X, lambda x: F.elu(x, 1.7), "fn op(x) = elu(x, alpha = 1.7)")
op("leaky_relu_steep", X, lambda x: F.leaky_relu(x, 0.3), "fn op(x) = leaky_relu(x, slope = 0.3)")
op("expm1", X, torch.expm1, "fn op(x) = expm1(x)")
op("tan", {"x": ("positive", [4, 5])}, torch.tan, "fn op(x) = tan(x)")
op("softmin", X, lambda x: F.softmin(x, -1), "fn op(x) = softmin(x)")
op("glu", {"x": [4, 6]}, lambda x: F.glu(x, -1), "fn op(x) = glu(x)")
op("swiglu", {"x": [4, 6]}, lambda x: F.silu(x[:, :3]) * x[:, 3:], "fn op(x) = swiglu(x)")

# Losses.
Z = {"z": [6, 5]}
op("nll", {**Z, "y": (5, [6])}, lambda z, y: F.nll_loss(F.log_softmax(z, -1), y), "fn op(z, y) = nll(log_softmax(z), y)")
op("cross_entropy_sequence", {"z": [3, 4, 5], "y": (5, [3, 4])}, lambda z, y: F.cross_entropy(z.transpose(1, 2), y), "fn op(z, y) = cross_entropy(z, y)")
op("cross_entropy_weight", {**Z, "y": (5, [6]), "w": ("positive", [5])}, lambda z, y, w: F.cross_entropy(z, y, weight=w.detach()), "fn op(z, y, w) = cross_entropy(z, y, weight = stop_gradient(w))")
op("cross_entropy_weight_smooth", {**Z, "y": (5, [6]), "w": ("positive", [5])}, lambda z, y, w: F.cross_entropy(z, y, weight=w.detach(), label_smoothing=0.2), "fn op(z, y, w) = cross_entropy(z, y, weight = stop_gradient(w), smoothing = 0.2)")
op("cross_entropy_ignore", {**Z, "y": (5, [6])}, lambda z, y: F.cross_entropy(z, y, ignore_index=0), "fn op(z: [B, n], y: int[B]) = cross_entropy(z, y, ignore = 0)")
op("cross_entropy_ignore_smooth", {**Z, "y": (5, [6])}, lambda z, y: F.cross_entropy(z, y, ignore_index=0, label_smoothing=0.1), "fn op(z: [B, n], y: int[B]) = cross_entropy(z, y, ignore = 0, smoothing = 0.1)")
op("cross_entropy_probabilities", {**Z, "p": [6, 5]}, lambda z, p: F.cross_entropy(z, p.softmax(-1)), "fn op(z, p) = cross_entropy(z, softmax(p))")
op("cross_entropy_probabilities_smooth", {**Z, "p": [6, 5]}, lambda z, p: F.cross_entropy(z, p.softmax(-1), label_smoothing=0.3), "fn op(z, p) = cross_entropy(z, softmax(p), smoothing = 0.3)")
op("bce_positive_weight", {**Z, "y": ("bits", [6, 5])}, lambda z, y: F.binary_cross_entropy_with_logits(z, y, pos_weight=torch.tensor(2.5)), "fn op(z, y) = binary_cross_entropy(z, y, positive_weight = 2.5)")
op("bce_of_certainty", {"p": ("bits", [6, 5]), "y": ("bits", [6, 5])}, lambda p, y: F.binary_cross_entropy(p, y), "fn op(p, y) = binary_cross_entropy_on_probabilities(p, y)")
op("l1", {"a": [6, 5], "y": [6, 5]}, F.l1_loss, "fn op(a, y) = l1(a, y)")
op("half_squared_error", {"a": [6, 5], "y": [6, 5]}, lambda a, y: 0.5 * ((a - y) ** 2).sum() / 6, "fn op(a, y) = half_squared_error(a, y)")
op("log_cosh", {"a": [6, 5], "y": [6, 5]}, lambda a, y: torch.log(torch.cosh(a - y)).mean(), "fn op(a, y) = log_cosh(a, y)")
op("multi_margin", {**Z, "y": (5, [6])}, lambda z, y: F.multi_margin_loss(z, y, margin=0.8), "fn op(z, y) = multi_margin(z, y, margin = 0.8)")
op("soft_margin", {**Z, "y": ("labels", [6, 5])}, F.soft_margin_loss, "fn op(z, y) = soft_margin(z, y)")
op("margin_ranking", {"a": [6], "b": [6], "y": ("labels", [6])}, lambda a, b, y: F.margin_ranking_loss(a, b, y, margin=0.3), "fn op(a, b, y) = margin_ranking(a, b, y, margin = 0.3)")
op("hinge_embedding", {"x": [6], "y": ("labels", [6])}, lambda x, y: F.hinge_embedding_loss(x, y, margin=0.9), "fn op(x, y) = hinge_embedding(x, y, margin = 0.9)")
op("cosine_embedding", {"a": [6, 4], "b": [6, 4], "y": ("labels", [6])}, lambda a, b, y: F.cosine_embedding_loss(a, b, y, margin=0.1), "fn op(a, b, y) = cosine_embedding(a, b, y, margin = 0.1)")
op("poisson", {"z": [6, 5], "y": ("positive", [6, 5])}, lambda z, y: F.poisson_nll_loss(z, y), "fn op(z, y) = poisson(z, y)")
op("gaussian", {"m": [6], "y": [6], "v": ("positive", [6])}, lambda m, y, v: F.gaussian_nll_loss(m, y, v), "fn op(m, y, v) = gaussian(m, y, v)")
op("gaussian_kl", {"m": [6, 3], "v": [6, 3]}, lambda m, v: -0.5 * (1 + v - m**2 - v.exp()).sum(1).mean(), "fn op(m, v) = gaussian_kl(m, v)")
op("focal", {**Z, "y": ("bits", [6, 5])}, lambda z, y: focal(z, y), "fn op(z, y) = focal(z, y)")
op("dice", {"z": [3, 2, 4], "y": ("bits", [3, 2, 4])}, lambda z, y: dice(z.sigmoid().flatten(1), y.flatten(1)), "fn op(z, y) = dice(z, y)")
op("info_nce", {"a": [5, 3], "b": [5, 3]}, lambda a, b: F.cross_entropy(F.cosine_similarity(a[:, None], b[None], dim=-1) / 0.2, torch.arange(5)), "fn op(a, b) = info_nce(a, b, temperature = 0.2)")
op("contrastive", {"a": [6, 3], "b": [6, 3], "y": ("bits", [6])}, lambda a, b, y: contrastive((a - b).norm(dim=1), y), "fn op(a, b, y) = contrastive(a, b, y, margin = 2)")
op("triplet_wide", {"a": [6, 3], "p": [6, 3], "n": [6, 3]}, lambda a, p, n: F.triplet_margin_loss(a, p, n, margin=2.0), "fn op(a, p, n) = triplet(a, p, n, margin = 2)")


def focal(z, y):
    right = z.sigmoid() * y + (1 - z.sigmoid()) * (1 - y)
    return ((0.25 * y + 0.75 * (1 - y)) * (1 - right) ** 2 * F.binary_cross_entropy_with_logits(z, y, reduction="none")).mean()


def dice(p, y):
    return (1 - (2 * (p * y).sum(1) + 1e-6) / (p.sum(1) + y.sum(1) + 1e-6)).mean()


def contrastive(d, y):
    return (0.5 * y * d**2 + 0.5 * (1 - y) * torch.clamp(2 - d, min=0) ** 2).mean()


# Pooling and upsampling.
L, I = {"x": [2, 3, 8]}, {"x": [2, 3, 7, 6]}
op("max_pool1d", L, lambda x: F.max_pool1d(x, 3, 2, padding=1), "fn op(x) = max_pool1d(x, 3, stride = 2, padding = 1)")
op("max_pool2d_pairs", I, lambda x: F.max_pool2d(x, (3, 2), (2, 1), padding=(1, 0)), "fn op(x) = max_pool2d(x, [3, 2], stride = [2, 1], padding = [1, 0])")
op("avg_pool1d", L, lambda x: F.avg_pool1d(x, 3, 2, padding=1), "fn op(x) = avg_pool1d(x, 3, stride = 2, padding = 1)")
op("avg_pool1d_uncounted", L, lambda x: F.avg_pool1d(x, 3, 2, padding=1, count_include_pad=False), "fn op(x) = avg_pool1d(x, 3, stride = 2, padding = 1, count_include_pad = false)")
op("avg_pool2d_counted", I, lambda x: F.avg_pool2d(x, 3, 2, padding=1), "fn op(x) = avg_pool2d(x, 3, stride = 2, padding = 1)")
op("adaptive_avg_pool1d", L, lambda x: F.adaptive_avg_pool1d(x, 3), "fn op(x) = adaptive_avg_pool1d(x, 3)")
op("adaptive_avg_pool2d", I, lambda x: F.adaptive_avg_pool2d(x, (3, 4)), "fn op(x) = adaptive_avg_pool2d(x, [3, 4])")
op("adaptive_avg_pool2d_even", {"x": [2, 3, 6, 4]}, lambda x: F.adaptive_avg_pool2d(x, 2), "fn op(x) = adaptive_avg_pool2d(x, 2)")
op("adaptive_max_pool2d", I, lambda x: F.adaptive_max_pool2d(x, (3, 4)), "fn op(x) = adaptive_max_pool2d(x, [3, 4])")
op("upsample1d", L, lambda x: F.interpolate(x, scale_factor=3), "fn op(x) = upsample1d(x, 3)")
op("upsample_bilinear2d", {"x": [2, 2, 3, 4]}, lambda x: F.interpolate(x, scale_factor=3, mode="bilinear"), "fn op(x) = upsample_bilinear2d(x, 3)")
op("pixel_shuffle", {"x": [2, 8, 2, 3]}, lambda x: F.pixel_shuffle(x, 2), "fn op(x) = pixel_shuffle(x, 2)")

# Attention and positions.
QKV = {"q": [2, 2, 4, 3], "k": [2, 2, 5, 3], "v": [2, 2, 5, 3]}
op("attention", QKV, F.scaled_dot_product_attention, "fn op(q, k, v) = attention(q, k, v)")
op("attention_mask", QKV, lambda q, k, v: F.scaled_dot_product_attention(q, k, v, attn_mask=torch.tensor([[1, 1, 0, 1, 0], [1, 1, 1, 1, 0]], dtype=torch.bool)[:, None, None, :]),
   "const HIDDEN = [[0, 0, 1, 0, 1], [0, 0, 0, 0, 1]]\nfn op(q, k, v) = attention(q, k, v, mask = HIDDEN > 0)")


def rotary(x):
    t, d = x.shape[-2:]
    angle = torch.arange(t)[:, None] * 10_000 ** (-2 * torch.arange(d // 2) / d)
    turned = torch.view_as_complex(x.unflatten(-1, (d // 2, 2))) * torch.polar(torch.ones_like(angle), angle)
    return torch.view_as_real(turned).flatten(-2)


def sinusoidal(x):
    t, d = x.shape[-2:]
    angle = torch.arange(t)[:, None] * 10_000 ** (-2 * torch.arange(d // 2) / d)
    return x + torch.stack([angle.sin(), angle.cos()], dim=-1).flatten(-2)


op("rotary", {"x": [2, 2, 5, 6]}, rotary, "fn op(x) = rotary(x)")
op("sinusoidal_positions", {"x": [2, 5, 6]}, sinusoidal, "fn op(x: [B, T, D]) = x + sinusoidal_positions(T, D)")

# Segments and functions of whole tensors.
E = [0, 2, 2, 1, 0, 2]
SEGMENT = torch.tensor(E)
IN = f"const SEGMENT = {E}\n"
op("segment_sum", {"x": [6, 3]}, lambda x: torch.zeros(4, 3).index_add(0, SEGMENT, x), IN + "fn op(x) = segment_sum(x, SEGMENT, 4)")
op("segment_mean", {"x": [6, 3]}, lambda x: torch.zeros(4, 3).index_reduce(0, SEGMENT, x, "mean", include_self=False), IN + "fn op(x) = segment_mean(x, SEGMENT, 4)")
op("segment_max", {"x": [6, 3]}, lambda x: torch.zeros(3, 3).index_reduce(0, SEGMENT, x, "amax", include_self=False), IN + "fn op(x) = segment_max(x, SEGMENT, 3)")
op("segment_softmax", {"x": [6, 3]}, lambda x: x.exp() / torch.zeros(3, 3).index_add(0, SEGMENT, x.exp())[SEGMENT], IN + "fn op(x) = segment_softmax(x, SEGMENT, 3)")
op("std", {"x": [4, 5]}, lambda x: x.std(dim=1), "fn op(x) = std(x, axis = 1, correction = 1)")
op("outer", {"a": [4], "b": [3]}, torch.outer, "fn op(a, b) = outer(a, b)")
op("clamp", X, lambda x: x.clamp(-0.5, 0.7), "fn op(x) = clamp(x, -0.5, 0.7)")
op("min_axis0", X, lambda x: x.min(dim=0).values, "fn op(x) = min(x, axis = 0)")

# Linear algebra. Signs that are a matter of choice are those of a positive diagonal, or do not show.
SQUARE = {"x": [4, 4]}
POSITIVE = lambda x: x @ x.T / 4 + torch.eye(4)
REGULAR = lambda x: x + 3 * torch.eye(x.shape[-1])


def positive_qr(x):
    q, r = torch.linalg.qr(x)
    sign = r.diagonal().sign()
    return q * sign, r * sign[:, None]


op("cholesky", SQUARE, lambda x: torch.linalg.cholesky(POSITIVE(x)), "fn op(x) = cholesky(x @ x.T / 4 + eye(4))")
op("triangular_solve", {"x": [4, 4], "b": [4, 2]}, lambda x, b: torch.linalg.solve_triangular(REGULAR(x).tril(), b, upper=False), "fn op(x, b) = triangular_solve(lower_triangle(x + 3 * eye(4)), b)")
op("solve", {"x": [4, 4], "b": [4, 2]}, lambda x, b: torch.linalg.solve(REGULAR(x), b), "fn op(x, b) = solve(x + 3 * eye(4), b)")
op("solve_batch", {"x": [3, 4, 4], "b": [3, 4]}, lambda x, b: torch.linalg.solve(REGULAR(x), b), "fn op(x, b) = solve(x + 3 * eye(4), b)")
op("inverse", SQUARE, lambda x: torch.linalg.inv(REGULAR(x)), "fn op(x) = inverse(x + 3 * eye(4))")
op("det", SQUARE, lambda x: torch.linalg.det(REGULAR(x)), "fn op(x) = det(x + 3 * eye(4))")
op("logdet", SQUARE, lambda x: torch.linalg.slogdet(REGULAR(x)).logabsdet, "fn op(x) = logdet(x + 3 * eye(4))")
op("qr_q", {"x": [5, 3]}, lambda x: positive_qr(x)[0], "fn op(x) {\n    (q, r) = qr(x)\n    q\n}")
op("qr_r", {"x": [5, 3]}, lambda x: positive_qr(x)[1], "fn op(x) {\n    (q, r) = qr(x)\n    r\n}")
op("eigh_values", SQUARE, lambda x: torch.linalg.eigh(x + x.T).eigenvalues, "fn op(x) {\n    (values, vectors) = eigh(x + x.T)\n    values\n}")


def matrix_tanh(x):
    values, vectors = torch.linalg.eigh(x + x.T)
    return vectors * values.tanh() @ vectors.T


op("eigh_vectors", SQUARE, matrix_tanh, "fn op(x) {\n    (values, vectors) = eigh(x + x.T)\n    (vectors * tanh(values)) @ vectors.T\n}")
op("sort", X, lambda x: x.sort(dim=-1).values, "fn op(x) = sort(x)")
op("largest", X, lambda x: x.topk(3).values, "fn op(x) {\n    (values, places) = largest(x, 3)\n    values\n}")
op("cumprod", X, lambda x: x.cumprod(dim=-1), "fn op(x) = cumprod(x)")
op("median", {"x": [4, 5]}, lambda x: x.median(dim=-1).values, "fn op(x) = median(x)")
op("quantile", X, lambda x: x.quantile(0.3, dim=-1), "fn op(x) = quantile(x, 0.3)")
