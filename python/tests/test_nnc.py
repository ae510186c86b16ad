"""The package: programs, sessions, arrays, errors, threads, the command line.

    .ci/python
"""

import os
import signal
import subprocess
import sys
import threading
import time

import numpy
import pytest

import nnc

# A shell that starts this in the background has it ignore the signal, and Python leaves it so.
signal.signal(signal.SIGINT, signal.default_int_handler)

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


def test_results_and_inputs_are_not_copied():
    """The memory of the process grows by far less than the input and the result."""
    code = """
import numpy, resource, nnc
session = nnc.compile("model Net(x: [B, 1024]) -> [B, 1] { x |> Linear(1) }").session()
x = numpy.ones((100_000, 1024), numpy.float32)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
y = session.predict("Net", x)
grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
assert grown < x.nbytes / 1024 / 4, grown
"""
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_tensors_of_other_libraries_are_taken_by_dlpack():
    class Shared:
        """Has its memory to share, and nothing else."""

        def __init__(self, array):
            self.array = array

        def __dlpack__(self, **wishes):
            return self.array.__dlpack__(**wishes)

        def __dlpack_device__(self):
            return self.array.__dlpack_device__()

    trained = session(1)
    x = rows()["x"]
    found = trained.predict("Net", Shared(x))
    assert numpy.array_equal(found, trained.predict("Net", x))
    again = numpy.from_dlpack(found)
    assert again.__array_interface__["data"] == found.__array_interface__["data"]


def test_tensors_of_torch_are_taken():
    torch = pytest.importorskip("torch")
    trained = session(1)
    x = rows()["x"]
    found = trained.predict("Net", torch.from_numpy(x))
    assert numpy.array_equal(found, trained.predict("Net", x))
    assert torch.from_dlpack(found).data_ptr() == found.__array_interface__["data"][0]


KINDS = """
model Net(x: [B, 2]) -> [B, 3] { x |> Linear(8) |> tanh |> Linear(3) }
data rows {
    x: [2]
    kind: class(3)
}
train {
    data     = rows
    minimize cross_entropy(Net(x), kind) with Adam(lr = 0.05)
    batch    = 8
    epochs   = 40
}
"""


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_names_become_classes(library):
    frames = pytest.importorskip(library)
    x = rows()["x"]
    names = numpy.array(["high", "low", "mid"])[numpy.digitize(x[:, 0], [-0.5, 0.5])]
    frame = frames.DataFrame({"a": x[:, 0], "b": x[:, 1], "kind": names})
    program = nnc.compile(KINDS, name="kinds.nn")
    trained = program.session(rows={"x": frame[["a", "b"]], "kind": frame["kind"]})
    assert trained.classes == {"rows.kind": ["high", "low", "mid"]}
    trained.train()
    scores = trained.predict("Net", frame[["a", "b"]].to_numpy().astype(numpy.float32))
    found = numpy.array(trained.classes["rows.kind"])[scores.argmax(axis=1)]
    assert (found == names).mean() > 0.85
    as_categories = frame["kind"].astype("category") if library == "pandas" else frame["kind"].cast(frames.Categorical)
    again = program.session(rows={"x": frame[["a", "b"]], "kind": as_categories})
    assert again.classes == trained.classes
    with pytest.raises(nnc.NncError, match="kinds.nn") as caught:
        program.session(rows={"x": frame[["a", "kind"]], "kind": frame["kind"]})
    assert caught.value.codes == ["E0911"] and "x: [2]" in str(caught.value)


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_missing_values_of_frames_are_told(library):
    frames = pytest.importorskip(library)
    program = nnc.compile(KINDS, name="kinds.nn")
    x = frames.DataFrame({"a": [1.0, None, 3.0], "b": [1, 2, 3]})
    with pytest.raises(nnc.NncError, match="row 1") as caught:
        program.session(rows={"x": x, "kind": [0, 1, 2]})
    assert caught.value.codes == ["E0910"] and "x: [2]" in str(caught.value)
    kinds = frames.Series(["a", "b", None])
    with pytest.raises(nnc.NncError) as caught:
        program.session(rows={"x": rows(3)["x"], "kind": kinds})
    assert caught.value.codes == ["E0910"]
    with pytest.raises(nnc.NncError) as caught:
        program.session(rows={"x": rows(4)["x"], "kind": ["a", "b", "c", "d"]})
    assert caught.value.codes == ["E0911"] and "3 classes" in str(caught.value)


def test_dates_are_told():
    pandas = pytest.importorskip("pandas")
    days = pandas.DataFrame({"a": pandas.to_datetime(["2024-01-01"]), "b": [1.0]})
    with pytest.raises(nnc.NncError) as caught:
        nnc.compile(KINDS).session(rows={"x": days, "kind": [0]})
    assert caught.value.codes == ["E0912"]


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
            time.sleep(0.005)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Timer(0.2, watch).start()
    with pytest.raises(KeyboardInterrupt):
        trained.train()
    assert len(ticks) == 20


WIDE = """
model Net(x: [B, 256]) -> [B, 256] { x |> Linear(512) |> tanh |> Linear(256) }
data rows { x: [256] }
train {
    data     = rows
    minimize mse(Net(x), x) with SGD(lr = 0.01)
    batch    = 128
    epochs   = 2
}
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks")
def test_sessions_work_after_a_fork():
    """Threads are not copied by a fork: a session that used some computes the same in the child, and can be dropped."""
    x = numpy.random.default_rng(1).normal(size=(256, 256)).astype(numpy.float32)
    program = nnc.compile(WIDE)
    trained = program.session(threads=3, rows={"x": x})
    trained.train()
    wanted = trained.predict("Net", x)
    child = os.fork()
    if child == 0:
        code = 1
        try:
            same = numpy.array_equal(trained.predict("Net", x), wanted)
            trained.train()
            other = program.session(threads=3, rows={"x": x})
            other.train()
            del trained, other
            code = 0 if same else 2
        finally:
            os._exit(code)
    give_up = time.monotonic() + 120
    while time.monotonic() < give_up:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            assert os.waitstatus_to_exitcode(status) == 0
            break
        time.sleep(0.05)
    else:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        pytest.fail("the child hangs")
    assert numpy.array_equal(trained.predict("Net", x), wanted)


def test_sessions_of_many_threads_do_not_disturb_each_other():
    wanted = session(20)
    wanted.train()
    found = [session(20) for _ in range(6)]
    threads = [threading.Thread(target=one.train) for one in found]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for one in found:
        for path, values in wanted.parameters().items():
            assert numpy.array_equal(one.parameters()[path], values)


def test_the_command_line_is_inside(tmp_path):
    (tmp_path / "net.nn").write_text("model Net(x: [B, 2]) -> [B, 1] = x |> Linear(1)\n")
    command = [sys.executable, "-m", "nnc", "check", str(tmp_path / "net.nn")]
    assert subprocess.run(command).returncode == 0
    (tmp_path / "net.nn").write_text("model Net(x: [B, 2]) -> [B, 2] = x |> Linear(1)\n")
    assert subprocess.run(command, capture_output=True).returncode == 1
