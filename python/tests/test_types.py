"""The type stubs say what the package has, and every public name has a docstring."""

import inspect
import os
import subprocess
import sys

import pytest

import nnc


def test_stubs_are_those_of_the_package(tmp_path):
    pytest.importorskip("mypy")
    pytest.importorskip("sklearn")
    (tmp_path / "mypy.ini").write_text("[mypy]\n[mypy-sklearn.*]\nignore_missing_imports = True\n")
    command = [sys.executable, "-m", "mypy.stubtest", "nnc", "--ignore-missing-stub", "--mypy-config-file", "mypy.ini"]
    folder = os.path.dirname(os.path.dirname(nnc.__file__))
    # A package that is installed is found without a path.
    path = {} if "site-packages" in folder else {"MYPYPATH": folder}
    found = subprocess.run(command, cwd=tmp_path, env={**os.environ, **path}, capture_output=True, text=True)
    assert found.returncode == 0, found.stdout + found.stderr


def test_public_names_have_docstrings():
    for name in nnc.__all__:
        value = getattr(nnc, name)
        if name.startswith("__"):
            continue
        assert inspect.getdoc(value), name
        if inspect.isclass(value) and not issubclass(value, Exception):
            for member, method in vars(value).items():
                assert member.startswith("_") or inspect.getdoc(method), f"{name}.{member}"
