"""The way from a bare Python into `.venv`, tried in small copies of the project."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest

from influencer import bootstrap
from influencer.bootstrap import RUN, TEST, CannotPrepare, Environment
from influencer.config import PROJECT

BARE_PYTHON = sys._base_executable  # type: ignore[attr-defined]
# Stands in for Django's side: tells where it runs and what it can import.
COMMANDLINE = """
import importlib.util, json, sys
def run(argv):
    found = importlib.util.find_spec("tiny") is not None
    print(json.dumps({"prefix": sys.prefix, "argv": argv[1:], "tiny": found}))
    return 0
"""


def checkout(folder: Path) -> Path:
    """A project with nothing in it but the bootstrap and one package to install."""
    package = folder / "influencer"
    (package / "requirements").mkdir(parents=True)
    shutil.copy(PROJECT / "manage.py", folder)
    shutil.copy(PROJECT / "influencer" / "bootstrap.py", package)
    (package / "__init__.py").touch()
    (package / "commandline.py").write_text(COMMANDLINE)
    write_lists(folder, version="1.0")
    return folder


def write_lists(project: Path, *, version: str) -> None:
    lists = project / "influencer" / "requirements"
    for name, package in (("run", "tiny"), ("test", "tinytest")):
        wheel = make_wheel(project, package, version)
        digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
        (lists / f"{name}.txt").write_text(f"{package} @ file://{wheel} --hash=sha256:{digest}\n")


def make_wheel(folder: Path, name: str, version: str) -> Path:
    info = f"{name}-{version}.dist-info"
    files = {
        f"{name}.py": f"version = '{version}'\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    files[f"{info}/RECORD"] = "".join(f"{path},,\n" for path in files) + f"{info}/RECORD,,\n"
    wheel = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, content in files.items():
            archive.writestr(path, content)
    return wheel


def start(project: Path, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [BARE_PYTHON, "manage.py", *words],
        cwd=project,
        env={"PATH": os.environ["PATH"], "HOME": str(project), "PIP_NO_INDEX": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(project: Path, *words: str) -> SimpleNamespace:
    process = start(project, *words)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    return SimpleNamespace(**json.loads(out), said=err)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout whose first start has been made."""
    project = checkout(tmp_path_factory.mktemp("checkout"))
    first = run(project, "up")
    assert "Making .venv" in first.said
    assert "Installing" in first.said
    return project


def test_the_first_start_makes_the_environment_and_runs_inside_it(prepared: Path) -> None:
    second = run(prepared, "hello", "--world")
    assert Path(second.prefix) == prepared / ".venv"
    assert second.argv == ["hello", "--world"]
    assert second.tiny is True


def test_nothing_is_installed_when_nothing_changed(prepared: Path) -> None:
    assert run(prepared, "up").said == ""


def test_a_start_from_inside_the_environment_asks_nothing(prepared: Path) -> None:
    done = subprocess.run(
        [prepared / ".venv/bin/python", "manage.py", "x"], cwd=prepared, capture_output=True, text=True
    )
    assert json.loads(done.stdout)["argv"] == ["x"]


def test_a_changed_list_is_installed_once(prepared: Path) -> None:
    write_lists(prepared, version="2.0")
    said = run(prepared, "up").said
    assert "Installing" in said
    assert "Making" not in said
    assert run(prepared, "up").said == ""


def test_only_test_installs_what_tests_need(prepared: Path) -> None:
    run(prepared, "up")
    assert not list((prepared / ".venv").rglob("tinytest.py"))
    assert "Installing" in run(prepared, "test").said
    assert list((prepared / ".venv").rglob("tinytest.py"))
    assert run(prepared, "up").said == ""


def test_an_interrupted_installation_is_repaired(prepared: Path) -> None:
    run(prepared, "up")
    next((prepared / ".venv").rglob("tiny.py")).unlink()
    (prepared / ".venv" / "installed.json").write_text('{"installing": "yes"}')
    assert run(prepared, "up").tiny is True


def test_a_half_made_environment_is_made_again(tmp_path: Path) -> None:
    project = checkout(tmp_path)
    (project / ".venv" / "bin").mkdir(parents=True)
    (project / ".venv" / "bin" / "python").symlink_to("/nowhere/python3")
    done = run(project, "up")
    assert "Making .venv" in done.said
    assert done.tiny is True


def test_two_starts_at_once_make_it_once(tmp_path: Path) -> None:
    project = checkout(tmp_path)
    starts = [start(project, "up"), start(project, "up")]
    said = [process.communicate(timeout=120)[1] for process in starts]
    assert [process.returncode for process in starts] == [0, 0]
    assert "".join(said).count("Making .venv") == 1


def test_a_package_that_is_not_what_the_list_says_is_refused(tmp_path: Path) -> None:
    project = checkout(tmp_path)
    (project / "tiny-1.0-py3-none-any.whl").write_bytes(b"something else")
    process = start(project, "up")
    _, said = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "The packages could not be installed: ERROR" in said
    assert "Traceback" not in said


def test_without_the_venv_module_one_sentence_names_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(CannotPrepare, match="apt-get install python3.11-venv"):
        Environment(checkout(tmp_path)).prepare(RUN)


def test_another_python_without_3_11_at_hand_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bootstrap, "NEEDED", (3, 2))
    monkeypatch.setattr("shutil.which", lambda name: None)
    with pytest.raises(CannotPrepare, match=r"Python 3\.11 is needed and this is 3\.11"):
        Environment(checkout(tmp_path)).prepare(TEST)


def test_another_python_hands_over_to_3_11(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    handed: list[str] = []

    def execv(path: str, argv: list[str]) -> None:
        handed.append(path)
        raise SystemExit

    monkeypatch.setattr(bootstrap, "NEEDED", (3, 2))
    monkeypatch.setattr("shutil.which", lambda name: f"/opt/{name}")
    monkeypatch.setattr("os.execv", execv)
    with pytest.raises(SystemExit):
        Environment(checkout(tmp_path)).prepare(RUN)
    assert handed == ["/opt/python3.11"]


def test_the_bootstrap_imports_only_the_standard_library() -> None:
    asked = (
        "import sys, influencer.bootstrap; "
        "print(any(name.startswith(('django', 'dotenv')) for name in sys.modules))"
    )
    done = subprocess.run(
        [BARE_PYTHON, "-S", "-c", asked], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"
