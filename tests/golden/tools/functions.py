"""Makes `tests/right/functions.nn`: functions far out, near 0 and at special values.

    python tests/golden/tools/functions.py

Values far out and near 0 are from mpmath with 40 digits, those at infinities, NaN and zeros from PyTorch in 64 bits
(`sign` from NumPy: PyTorch gives 0 for NaN).
Needs `pip install torch mpmath`.
"""

from pathlib import Path

import numpy
import torch
from mpmath import erf, exp, expm1, log1p, mp, mpf, ncdf, nstr, sqrt, tanh
from torch.nn import functional as F

mp.dps = 40
POINTS = [-30.0, -12.0, -6.0, -3.45, -1.0, -0.001, 0.5, 3.0]
POSITIVE = [-0.999, -0.5, -0.001, 1e-6, 0.5, 3.0, 1e3, 1e8]


def softplus(x):
    return log1p(exp(x))


def sigmoid(x):
    return 1 / (1 + exp(-x))


ACCURATE = {
    "gelu(far.x)": lambda x: x * ncdf(x),
    "gelu_tanh(far.x)": lambda x: x * sigmoid(sqrt(8 / mp.pi) * (x + mpf("0.044715") * x**3)),
    "silu(far.x)": lambda x: x * sigmoid(x),
    "mish(far.x)": lambda x: x * tanh(softplus(x)),
    "softplus(far.x)": softplus,
    "logsigmoid(far.x)": lambda x: -softplus(-x),
    "sigmoid(far.x)": sigmoid,
    "elu(far.x)": lambda x: x if x > 0 else expm1(x),
    "celu(far.x, alpha = 2)": lambda x: x if x > 0 else 2 * expm1(x / 2),
    "selu(far.x)": lambda x: mpf("1.05070098735548049342") * (x if x > 0 else mpf("1.67326324235437728482") * expm1(x)),
    "expm1(far.x)": expm1,
    "tanh(far.x)": tanh,
    "erf(far.x)": erf,
    "normal_cdf(far.x)": ncdf,
    "softsign(far.x)": lambda x: x / (1 + abs(x)),
    "log1p(far.y)": log1p,
}

SPECIAL = [float("inf"), -float("inf"), float("nan"), 0.0, -0.0]
AT_SPECIAL = {
    "exp": torch.exp, "log": torch.log, "sin": torch.sin, "cos": torch.cos, "tan": torch.tan, "tanh": torch.tanh,
    "sqrt": torch.sqrt, "erf": torch.erf, "floor": torch.floor, "ceil": torch.ceil, "round": torch.round,
    "abs": torch.abs, "sign": lambda x: torch.from_numpy(numpy.sign(x.numpy())), "log1p": torch.log1p, "expm1": torch.expm1, "rsqrt": torch.rsqrt,
    "normal_cdf": torch.special.ndtr, "relu": F.relu, "relu6": F.relu6, "leaky_relu": F.leaky_relu,
    "sigmoid": torch.sigmoid, "logsigmoid": F.logsigmoid, "softplus": F.softplus, "elu": F.elu, "celu": F.celu,
    "selu": F.selu, "silu": F.silu, "mish": F.mish, "hardtanh": F.hardtanh, "softshrink": F.softshrink,
    "hardshrink": F.hardshrink, "tanhshrink": F.tanhshrink, "softsign": F.softsign,
}
PAIRS = [-float("inf"), -2.0, -1.0, -0.5, -0.0, 0.0, 0.5, 1.0, 2.0, 3.0, float("inf"), float("nan")]
AT_PAIRS = {"a ^ b": torch.pow, "a * b": torch.mul, "a / b": torch.div, "a + b": torch.add, "xlogy(a, b)": torch.special.xlogy}


def number(x):
    if x != x:
        return "0.0 / 0.0"
    if abs(x) == float("inf"):
        return "inf" if x > 0 else "-inf"
    return repr(float(x))


def row(values):
    return "[" + ", ".join(number(x) for x in values) + "]"


def accuracy(precision, tolerance, least):
    lines = [f"#### functions far out and near 0, against 40 digits, in {precision}", f"precision = {precision}"]
    lines += ["data far {", f"    x = {row(POINTS)}", f"    y = {row(POSITIVE)}", "}"]
    lines += [f"fn close(found: [n], wanted: [n]) -> bool[n] = abs(found - wanted) <= {tolerance} * abs(wanted) + {least}"]
    # The argument is what the precision makes of it.
    cast = (lambda x: float(torch.tensor(x, dtype=torch.float32))) if precision == "f32" else float
    for call, function in ACCURATE.items():
        points = POSITIVE if "far.y" in call else POINTS
        values = ", ".join(nstr(function(mpf(cast(x))), 17) for x in points)
        lines.append(f'expect close({call}, [{values}]), "{call}"')
    return lines


def special(precision):
    lines = [f"#### functions at infinities, NaN and zeros, against PyTorch, in {precision}", f"precision = {precision}"]
    lines += ["data at {", f"    x = {row(SPECIAL)}", "}"]
    lines += ["fn same(found: [n], wanted: [n]) -> bool[n] = abs(found - wanted) < 1e-6 or found == wanted or (found != found and wanted != wanted)"]
    x = torch.tensor(SPECIAL, dtype=torch.float64)
    for name, function in AT_SPECIAL.items():
        lines.append(f'expect same({name}(at.x), {row(function(x).tolist())}), "{name}"')
    return lines


def pairs(precision):
    lines = [f"#### operations on pairs of special values, against PyTorch, in {precision}", f"precision = {precision}"]
    a = torch.tensor([x for x in PAIRS for _ in PAIRS], dtype=torch.float64)
    b = torch.tensor([y for _ in PAIRS for y in PAIRS], dtype=torch.float64)
    lines += ["data of {", f"    a = {row(a.tolist())}", f"    b = {row(b.tolist())}", "}"]
    lines += ["fn same(found: [n], wanted: [n]) -> bool[n] = abs(found - wanted) < 1e-6 or found == wanted or (found != found and wanted != wanted)"]
    for text, function in AT_PAIRS.items():
        call = text.replace("xlogy(a, b)", "xlogy(of.a, of.b)") if "xlogy" in text else text.replace("a ", "of.a ").replace(" b", " of.b")
        lines.append(f'expect same({call}, {row(function(a, b).tolist())}), "{text}"')
    return lines


def main():
    lines = accuracy("f64", "4e-14", "1e-300") + accuracy("f32", "2e-6", "1e-36")
    for precision in ["f64", "f32"]:
        lines += special(precision) + pairs(precision)
    path = Path(__file__).parents[2] / "right/functions.nn"
    path.write_text("\n".join(lines) + "\n")


main()
