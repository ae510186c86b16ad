"""Reading safetensors files, and the distance of a training from its reference. Needs `pip install numpy`."""

import json
import struct
from pathlib import Path

import numpy as np

TYPES = {"F32": np.float32, "F64": np.float64, "I32": np.int32, "BOOL": np.bool_}


def load(path):
    """The tensors of a safetensors file as arrays, by name."""
    raw = Path(path).read_bytes()
    length = struct.unpack("<Q", raw[:8])[0]
    header = json.loads(raw[8 : 8 + length])
    header.pop("__metadata__", None)
    body = raw[8 + length :]
    return {
        name: np.frombuffer(body[slice(*at["data_offsets"])], TYPES[at["dtype"]]).reshape(at["shape"])
        for name, at in header.items()
    }


def distance(reference, losses, final):
    """The greatest difference of a loss, relative to the loss, and of a parameter, relative to its tensor's largest.
    `final` holds arrays by name, perhaps with the name of the model in front."""
    wanted = reference["loss"].astype(float)
    if len(losses) != len(wanted):
        raise ValueError(f"{len(losses)} losses, not {len(wanted)}")
    loss = float(np.max(np.abs(np.array(losses) - wanted) / np.maximum(np.abs(wanted), 1e-3)))
    worst = 0.0
    for key, value in reference.items():
        if not key.startswith("final."):
            continue
        name = key.removeprefix("final.")
        found = final.get(name)
        if found is None:
            found = next(array for path, array in final.items() if path.endswith("." + name))
        scale = max(1e-2, float(np.abs(value).max(initial=0)))
        worst = max(worst, float(np.abs(found.astype(float) - value).max(initial=0)) / scale)
    return loss, worst
