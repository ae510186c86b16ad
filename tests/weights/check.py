"""Parameters to PyTorch and back: `docs/weights.md` in a program.

    pip install torch safetensors numpy
    python tests/weights/check.py NNC        # the command, e.g. target/release/nnc
"""

import json
import pathlib
import subprocess
import sys
import tempfile

import numpy
import torch
from safetensors.torch import load_file, save_file
from torch import nn

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = ROOT / "tests/weights/net.nn"


class Net(nn.Module):
    """The network of net.nn; its modules are called as the layers there."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 8, 3, padding=1)
        self.norm = nn.BatchNorm2d(8)
        self.fc = nn.Linear(128, 10)

    def forward(self, x):
        z = torch.relu(self.norm(self.conv(x)))
        return self.fc(nn.functional.max_pool2d(z, 2).flatten(1))


def evaluated(nnc, weights):
    """The loss over the held-out rows, by nnc."""
    command = [nnc, "eval", PROGRAM, "--weights", weights, "--json"]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return json.loads(output)["loss"]


def held_out():
    """The rows of the test: the last fifth of the file."""
    table = numpy.loadtxt(ROOT / "models/data/digits.csv", delimiter=",", dtype=numpy.float32)
    rows = table[int(len(table) * 0.8) :]
    return torch.tensor(rows[:, :64] / 16).reshape(-1, 1, 8, 8), torch.tensor(rows[:, 64]).long()


def main():
    nnc = pathlib.Path(sys.argv[1]).resolve()
    images, labels = held_out()
    with tempfile.TemporaryDirectory() as folder:
        trained = pathlib.Path(folder) / "net.safetensors"
        subprocess.run([nnc, "run", PROGRAM, "--save", trained, "--quiet"], check=True)

        # From nnc to PyTorch.
        arrays = load_file(trained)
        state = {name: array for name, array in arrays.items() if not name.startswith("nnc.")}
        net = Net()
        net.load_state_dict(state, strict=True)
        net.eval()
        found = nn.functional.cross_entropy(net(images), labels).item()
        meant = evaluated(nnc, trained)
        print(f"loss by PyTorch {found:.6f}, by nnc {meant:.6f}")
        assert abs(found - meant) < 1e-4 * max(1, meant)

        # From PyTorch to nnc.
        net = Net()
        optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
        for _ in range(20):
            optimizer.zero_grad()
            nn.functional.cross_entropy(net(images), labels).backward()
            optimizer.step()
        net.eval()
        back = pathlib.Path(folder) / "torch.safetensors"
        save_file(net.state_dict(), back)
        found, meant = nn.functional.cross_entropy(net(images), labels).item(), evaluated(nnc, back)
        print(f"loss by PyTorch {found:.6f}, by nnc {meant:.6f}")
        assert abs(found - meant) < 1e-4 * max(1, meant)


main()
