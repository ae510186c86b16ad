"""The package: programs, sessions, arrays, errors, threads, the command line.

    .ci/python
"""

import os
import signal
import subprocess
import sys
import threading

import numpy
import pytest

import nnc

LINE = """
model Net(x: [B, 2]) -> [B, 1] {{ x |> Linear(8) |> tanh |> Linear(1) }}
data rows {{
    x: [2]
    y: [1]
}}
train {{
    data     = rows
    minimize mse(Net(x), y) with Adam(lr = 0.02)
    validate = rows
    batch    = 8
    epochs   = {epochs}
}}
print "done"
"""


def rows(count=64):
    x = numpy.random.default_rng(0).normal(size=(count, 2)).astype(numpy.float32)
    return {"x": x, "y": x.sum(axis=1, keepdims=True)}


def session(epochs=100):
    return nnc.compile(LINE.format(epochs=epochs)).session(rows=rows())


def test_training_fits():
    trained = session()
    epochs = []
    report = trained.train(lambda epoch: epochs.append(epoch["train"]["loss"]))
    assert len(epochs) == 100 and epochs[-1] < 0.05 < epochs[0]
    assert report["reason"] == "finished" and report["epochs"] == 100
    given = rows()
    found = trained.predict("Net", given["x"])
    assert found.dtype == numpy.float32 and found.shape == (64, 1)
    assert abs(found - given["y"]).mean() < 0.2
    assert trained.evaluate("rows")["loss"] < 0.05
    assert session(1).run()["printed"] == ["done"]


def test_arrays_of_all_kinds_are_taken():
    trained = session(1)
    x = rows()["x"]
    wanted = trained.predict("Net", x)
    wide = numpy.zeros((64, 4), numpy.float32)
    wide[:, ::2] = x
    for same in (x.astype(numpy.float64), numpy.asfortranarray(x), wide[:, ::2], x.tolist()):
        assert numpy.array_equal(trained.predict("Net", same), wanted)
    with pytest.raises(TypeError, match="numbers"):
        trained.predict("Net", numpy.array([["a", "b"]]))
    with pytest.raises(nnc.NncError):
        trained.predict("Net", numpy.zeros((3, 5), numpy.float32))


def test_data_frames_are_taken():
    pandas = pytest.importorskip("pandas")
    text = LINE.format(epochs=1).replace("x: [2]", "x: []\n    z: []").replace("y: [1]", "y: []")
    text = text.replace("mse(Net(x), y)", "mse(Net(stack([x, z], axis = 1))[:, 0], y)")
    x = rows()["x"]
    frame = pandas.DataFrame({"x": x[:, 0], "z": x[:, 1], "y": x.sum(axis=1)})
    assert nnc.compile(text).session(rows=frame).train()["epochs"] == 1


def test_errors_show_the_program():
    with pytest.raises(nnc.NncError) as caught:
        nnc.compile("model Net(x: [B, 2]) -> [B, 3] = x |> Linear(4)", name="net.nn")
    assert "Linear(4)" in str(caught.value) and "net.nn" in str(caught.value)
    assert caught.value.codes


def test_a_callback_ends_a_training_or_fails():
    assert session().train(lambda epoch: epoch["epoch"] < 3)["epochs"] in (3, 4)

    def fail(epoch):
        raise ValueError("enough")

    with pytest.raises(ValueError, match="enough"):
        session().train(fail)
    trained = session(2)
    with pytest.raises(nnc.NncError, match="at work"):
        trained.train(lambda epoch: trained.parameters())


def test_parameters_and_files(tmp_path):
    trained = session(5)
    trained.train()
    trained.save(tmp_path / "w.safetensors")
    other = session(5)
    other.load(tmp_path / "w.safetensors")
    for path, values in trained.parameters().items():
        assert numpy.array_equal(other.parameters()[path], values)
    other.set_parameter("linear1.bias", numpy.ones(8))
    assert (other.parameters()["linear1.bias"] == 1).all()


def test_control_c_ends_a_training():
    endless = session(10**7)
    threading.Timer(0.5, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        endless.train()
    assert numpy.isfinite(endless.predict("Net", rows()["x"])).all()


def test_other_threads_run_during_a_training():
    ticks, trained = [], session(10**7)

    def watch():
        for _ in range(20):
            ticks.append(len(ticks))
        os.kill(os.getpid(), signal.SIGINT)

    threading.Timer(0.2, watch).start()
    with pytest.raises(KeyboardInterrupt):
        trained.train()
    assert len(ticks) == 20


def test_the_command_line_is_inside(tmp_path):
    (tmp_path / "net.nn").write_text("model Net(x: [B, 2]) -> [B, 1] = x |> Linear(1)\n")
    command = [sys.executable, "-m", "nnc", "check", str(tmp_path / "net.nn")]
    assert subprocess.run(command).returncode == 0
    (tmp_path / "net.nn").write_text("model Net(x: [B, 2]) -> [B, 2] = x |> Linear(1)\n")
    assert subprocess.run(command, capture_output=True).returncode == 1
