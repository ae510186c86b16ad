"""Lets XLA carry out the modules of a folder, each on the arguments of the JSON file beside it, and compares results."""
import glob, json, os, sys
os.environ["JAX_PLATFORMS"] = "cpu"
import numpy as np, jax
from jax._src import xla_bridge
from jaxlib import xla_client

jax.config.update("jax_enable_x64", True)
backend = xla_bridge.get_backend()
devices = xla_client.DeviceList(tuple(backend.devices()[:1]))
failed = 0
for file in sorted(glob.glob(os.path.join(sys.argv[1], "*.mlir"))):
    text, case = open(file).read(), json.load(open(file[:-5] + ".json"))
    floats = np.float64 if "f64>" in text.split("@main(")[1].split("{")[0] else np.float32
    kind = {"float": floats, "int": np.int32, "bool": np.bool_}
    array = lambda given: np.array(given["values"]).astype(kind[given["type"]]).reshape(given["shape"])
    module = backend.compile_and_load(text, devices, xla_client.CompileOptions())
    arguments = [jax.device_put(array(given), backend.devices()[0]) for given in case["arguments"]]
    made = module.execute_sharded(arguments).disassemble_into_single_device_arrays()
    worst = 0.0
    for shards, wanted in zip(made, case["results"]):
        got, wanted = np.asarray(shards[0]).astype(np.float64), np.array(wanted["values"], dtype=np.float64).reshape(wanted["shape"])
        if got.size:
            worst = max(worst, float(np.max(np.abs(got - wanted) / np.maximum(1, np.abs(wanted)))))
    good = worst < 1e-5 and len(made) == len(case["results"])
    print("ok:" if good else "not the same:", os.path.basename(file), f"{worst:.1e}")
    failed += not good
sys.exit(failed > 0)
