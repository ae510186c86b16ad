"""Trains what `nnc export FILE.nn --stablehlo FOLDER` has written, with XLA: on whatever jax finds.

    python examples/xla.py FOLDER                                      one device
    python examples/xla.py FOLDER --process K --of N --at HOST:PORT    one of N processes, exported with --mesh DEVICES

Prints the losses of each step, and writes what was learnt to FOLDER/trained.safetensors.
"""
import argparse, json, os, struct
import numpy as np, jax
from jax.sharding import Mesh, NamedSharding, PartitionSpec as P
from jax._src import xla_bridge
from jaxlib import xla_client

NUMBERS = {"F32": "<f4", "F64": "<f8", "I32": "<i4", "I64": "<i8", "U8": "u1", "BOOL": "?"}
asked = argparse.ArgumentParser()
asked.add_argument("folder")
for name, kind in (("process", int), ("of", int), ("at", str)):
    asked.add_argument("--" + name, type=kind)
asked = asked.parse_args()
path = lambda name: os.path.join(asked.folder, name)

def tensors(name):
    data = open(path(name), "rb").read()
    size = struct.unpack("<Q", data[:8])[0]
    part = lambda it: data[8 + size:][it["data_offsets"][0]:it["data_offsets"][1]]
    entries = json.loads(data[8:8 + size]).items()
    return {key: np.frombuffer(part(it), NUMBERS[it["dtype"]]).reshape(it["shape"]) for key, it in entries if key != "__metadata__"}

if asked.of:
    if jax.config.jax_platforms == "cpu":
        jax.config.update("jax_cpu_collectives_implementation", "gloo")
    jax.distributed.initialize(asked.at, num_processes=asked.of, process_id=asked.process)
about = json.load(open(path("manifest.json")))
jax.config.update("jax_enable_x64", True)
backend, count, options = xla_bridge.get_backend(), about["mesh"], xla_client.CompileOptions()
devices = backend.devices()[:count]
build = options.executable_build_options
options.num_replicas, options.num_partitions = 1, count
build.num_replicas, build.num_partitions = 1, count
build.use_spmd_partitioning = build.use_shardy_partitioner = count > 1
options.device_assignment = xla_client.DeviceAssignment.create(np.array([[device.id for device in devices]]))
step = backend.compile_and_load(open(path("step.mlir")).read(), xla_client.DeviceList(tuple(devices)), options)
mesh = Mesh(np.array(devices), ("rows",))
place = lambda array, rows=P(): jax.make_array_from_callback(array.shape, NamedSharding(mesh, rows), lambda at: array[at])
start, batches, batch = tensors("start.safetensors"), tensors("batches.safetensors"), about["batch"]
kind = {"float": {"f32": np.float32, "f64": np.float64}[about["precision"]], "int": np.int32, "bool": np.bool_}
ports, given = about["arguments"], lambda port, array: np.ascontiguousarray(array.astype(kind[port["type"]]).reshape(port["shape"]))
kept = [port for port in ports if port["role"] in ("param", "state")]
values = [place(given(port, start[port["name"]])) for port in kept]
steps = min((len(rows) // batch for rows in batches.values()), default=1)
for number in range(steps):
    arguments = list(values)
    for port in ports[len(kept):]:
        role, name = port["role"], port["name"]
        if role == "step":
            arguments.append(place(np.array(number + 1, np.int32)))
        elif role == "column":
            arguments.append(place(given(port, start[name])))
        else:
            arguments.append(place(given(port, batches[name][number * batch:(number + 1) * batch]), P("rows")))
    made = step.execute_sharded(arguments).disassemble_into_single_device_arrays()
    join = lambda shards: jax.make_array_from_single_device_arrays(shards[0].shape, NamedSharding(mesh, P()), shards)
    values = [join(shards) for shards in made[:len(kept)]]
    rest = zip(about["results"][len(kept):], made[len(kept):])
    print(json.dumps({"step": number + 1, "losses": [float(np.asarray(shards[0])) for port, shards in rest if port["role"] == "loss"]}), flush=True)
if not asked.process:
    arrays = {port["name"]: np.asarray(value.addressable_shards[0].data) for port, value in zip(kept, values)}
    names, head, at = {"float32": "F32", "float64": "F64", "int32": "I32", "bool": "BOOL"}, {}, 0
    for name, array in arrays.items():
        head[name] = {"dtype": names[str(array.dtype)], "shape": array.shape, "data_offsets": [at, at := at + array.nbytes]}
    head = json.dumps(head).encode()
    with open(path("trained.safetensors"), "wb") as out:
        out.write(struct.pack("<Q", len(head)) + head + b"".join(array.tobytes() for array in arrays.values()))
