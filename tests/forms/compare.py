"""Compares what five forms of the same models say of the same random rows.

    python tests/forms/compare.py FOLDER

In the folder are, by `.ci/forms`, NAME.json with the rows and what the interpreter, native code and exported C say of
them, NAME.onnx for onnxruntime, and NAME.safetensors for the Python package. It prints the largest differences from
the interpreter, in parts of the largest number of the results or of 1, and fails if one is beyond 1e-5.
"""

import json
import pathlib
import sys

import nnc
import numpy
import onnxruntime

TOLERANCE = 1e-5
FORMS = ["native", "c", "onnx", "python"]
TYPES = {"tensor(float)": "float32", "tensor(double)": "float64", "tensor(int64)": "int64", "tensor(int32)": "int32",
         "tensor(bool)": "bool"}


def array(given):
    data = numpy.array([float(it) for it in given["data"]])
    return data.astype(given["type"]).reshape([1, *given["shape"]])


def field(given, case):
    # What was prepared is a batch of one row.
    return array(given)[0] if case["prepared"] else array(given)


def flat(results):
    return numpy.concatenate([numpy.asarray(it, dtype=numpy.float64).ravel() for it in results])


def by_onnx(path, case):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    for row in case["rows"]:
        inputs = {}
        for given, wanted in zip(row["row"], session.get_inputs()):
            inputs[wanted.name] = array(given).astype(TYPES[wanted.type])
        yield flat(session.run(None, inputs))


def by_python(path, case):
    session = nnc.compile_file(case["program"]).session()
    session.load(path)
    for row in case["rows"]:
        results = session.predict(case["model"], *[field(it, case) for it in row["fields"]])
        yield flat(results if isinstance(results, tuple) else (results,))


def difference(found, meant):
    if found.shape != meant.shape:
        return f"{found.size} numbers, not {meant.size}"
    same = (found == meant) | (numpy.isnan(found) & numpy.isnan(meant))
    if same.all():
        return 0.0
    if not numpy.isfinite(found[~same]).all() or not numpy.isfinite(meant[~same]).all():
        return "others are finite"
    scale = max(1.0, numpy.abs(meant[numpy.isfinite(meant)]).max())
    return numpy.abs(found[~same] - meant[~same]).max() / scale


def compare(path):
    case = json.loads(path.read_text())
    meant = [numpy.array([float(it) for it in row["interpreter"]]) for row in case["rows"]]
    found = {name: [numpy.array([float(it) for it in row[name]]) for row in case["rows"]] for name in ["native", "c"]}
    onnx = path.with_suffix(".onnx")
    if onnx.exists():
        found["onnx"] = by_onnx(onnx, case)
    found["python"] = by_python(path.with_suffix(".safetensors"), case)
    line = {}
    for form, results in found.items():
        try:
            differences = [difference(a, b) for a, b in zip(results, meant, strict=True)]
            texts = [it for it in differences if isinstance(it, str)]
            line[form] = texts[0] if texts else max(differences)
        except nnc.NncError as error:
            # The loss gives the model something else than fields, and so does the export.
            line[form] = "other inputs" if "E0731" in error.codes else str(error)
        except Exception as error:  # whatever onnxruntime says
            line[form] = f"{type(error).__name__}: {str(error)[:200]}"
    return line


def shown(found):
    if found is None or found == "other inputs":
        return "-"
    return found if isinstance(found, str) else "0" if found == 0 else f"{found:.0e}"


def main():
    paths = sorted(pathlib.Path(sys.argv[1]).glob("*.json"))
    wrong, largest = 0, {}
    print("| model | " + " | ".join(FORMS) + " |")
    print("|---|" + "---|" * len(FORMS))
    for path in paths:
        line = compare(path)
        print(f"| {path.stem} | " + " | ".join(shown(line.get(form)) for form in FORMS) + " |", flush=True)
        for form, found in line.items():
            if found == "other inputs":
                continue
            wrong += isinstance(found, str) or found > TOLERANCE
            if not isinstance(found, str):
                count, most = largest.get(form, (0, 0.0))
                largest[form] = (count + 1, max(most, found))
    for form, (count, most) in largest.items():
        print(f"{form}: {count} models, largest difference {most:.1e}")
    print(f"{wrong} are beyond {TOLERANCE:.0e}")
    sys.exit(wrong > 0 or not paths)


main()
