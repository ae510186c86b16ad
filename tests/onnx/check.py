"""Compares the models of a folder, NAME.onnx, with the inputs and results of NAME.json.

    pip install onnx onnxruntime numpy
    python tests/onnx/check.py FOLDER
"""

import json
import pathlib
import sys

import numpy
import onnx
import onnxruntime

TOLERANCE = 1e-5


def array(given):
    data = [float(it) if isinstance(it, str) else it for it in given["data"]]
    return numpy.array(data, dtype=given["type"]).reshape(given["shape"])


def difference(found, meant):
    """The greatest difference, in parts of the greatest number, or of 1."""
    if found.shape != meant.shape:
        return f"the shape is {list(found.shape)}, not {list(meant.shape)}"
    if found.dtype.kind != meant.dtype.kind:
        return f"the type is {found.dtype}, not {meant.dtype}"
    found, meant = found.astype(numpy.float64), meant.astype(numpy.float64)
    if not numpy.array_equal(numpy.isfinite(found), numpy.isfinite(meant)):
        return "other elements are finite"
    finite = numpy.isfinite(meant)
    if not finite.any():
        return 0.0
    scale = max(1.0, numpy.abs(meant[finite]).max())
    return numpy.abs(found[finite] - meant[finite]).max() / scale


def check(path):
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    case = json.loads(path.with_suffix(".json").read_text())
    results = session.run(None, {it["name"]: array(it) for it in case["inputs"]})
    if len(results) != len(case["results"]):
        return f"{len(results)} results, not {len(case['results'])}"
    differences = [difference(found, array(meant)) for found, meant in zip(results, case["results"])]
    texts = [it for it in differences if isinstance(it, str)]
    return texts[0] if texts else max(differences, default=0.0)


def main():
    failures = 0
    paths = sorted(pathlib.Path(sys.argv[1]).glob("*.onnx"))
    for path in paths:
        try:
            found = check(path)
        except Exception as error:  # whatever onnx or onnxruntime say
            found = f"{type(error).__name__}: {str(error)[:300]}"
        is_good = not isinstance(found, str) and found <= TOLERANCE
        failures += not is_good
        print(f"{'' if is_good else 'WRONG '}{path.stem}: {found if isinstance(found, str) else f'{found:.1e}'}")
    print(f"{len(paths) - failures} of {len(paths)} models are right")
    sys.exit(failures > 0)


main()
