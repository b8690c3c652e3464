"""From a bare Python to the project's own `.venv`; standard library only.

Runs before anything is installed, under whatever Python was at hand, so this file
keeps to syntax that older ones can read as well.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
NEEDED = (3, 11)
RUN = ("run",)
TEST = ("run", "test")


class CannotPrepare(Exception):
    """One sentence that says what is missing and what to do."""


def enter(argv: Sequence[str], project: Path = PROJECT) -> None:
    """Go on inside `.venv`, made and filled if need be; comes back when already inside."""
    environment = Environment(project)
    if environment.is_this_process():
        return
    try:
        environment.prepare(TEST if argv[1:2] == ["test"] else RUN)
    except CannotPrepare as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit("Stopped; the same command goes on from here.")
    os.execv(environment.python, [str(environment.python), *argv])  # noqa: S606


class Environment:
    """The project's `.venv` and what `installed.json` in it says was installed."""

    def __init__(self, project: Path) -> None:
        self.folder = project / ".venv"
        self.python = self.folder / "bin" / "python"
        self.lists = project / "influencer" / "requirements"
        self.stamp = self.folder / "installed.json"

    def is_this_process(self) -> bool:
        return Path(sys.prefix).resolve() == self.folder.resolve()

    def prepare(self, names: Sequence[str]) -> None:
        """Make sure the named lock lists are installed. Raises `CannotPrepare`.

        One look at the files when nothing changed; no network then.
        """
        if self.is_ready(names):
            return
        with self._alone():
            if self.is_ready(names):  # another start was faster
                return
            if not self._is_usable():
                self._create()
            self._install(names)

    def is_ready(self, names: Sequence[str]) -> bool:
        found = self._read_stamp()
        return (
            self.python.exists()
            and found.get("python") == os.path.realpath(self.python)
            and all(found.get(name) == self._fingerprint(name) for name in names)
        )

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Hold a lock that needs no file of its own, so that two starts take turns."""
        descriptor = os.open(self.lists, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _is_usable(self) -> bool:
        """True when pip runs in there with the Python it was made for."""
        made_for = self._read_stamp().get("python")
        if made_for and made_for != os.path.realpath(self.python):
            return False
        if not self.python.exists():
            return False
        asked = [str(self.python), "-c", "import pip, sys; sys.exit(sys.version_info[:2] != (3, 11))"]
        return subprocess.run(asked, capture_output=True, check=False).returncode == 0

    def _create(self) -> None:
        _use_the_right_python()
        for module in ("venv", "ensurepip"):
            if importlib.util.find_spec(module) is None:
                raise CannotPrepare(_missing(module))
        _say("Making .venv …")
        done = _quietly([sys.executable, "-m", "venv", "--clear", str(self.folder)])
        if done.returncode:
            raise CannotPrepare(f"The .venv folder could not be made: {_last_line(done)}")

    def _install(self, names: Sequence[str]) -> None:
        files = [self.lists / f"{name}.txt" for name in names]
        torn = self._read_stamp().get("installing")
        self._write_stamp({"installing": "yes"})
        _say(f"Installing {_count(files)} packages …")
        started = time.monotonic()
        done = self._pip(files, again=bool(torn))
        if done.returncode and not torn:
            done = self._pip(files, again=True)
        if done.returncode:
            raise CannotPrepare(f"The packages could not be installed: {_last_line(done)}")
        prints = {name: self._fingerprint(name) for name in names}
        self._write_stamp({"python": os.path.realpath(self.python), **prints})
        _say(f"Installed in {time.monotonic() - started:.0f} s.")

    def _pip(self, files: Sequence[Path], *, again: bool) -> subprocess.CompletedProcess:
        """`again` writes over what is there, also over packages an interruption left torn."""
        command = [str(self.python), "-m", "pip", "install", "--quiet", "--no-input", "--require-hashes"]
        command += ["--disable-pip-version-check", *(["--ignore-installed"] if again else [])]
        return _quietly([*command, *(part for file in files for part in ("-r", str(file)))])

    def _fingerprint(self, name: str) -> str:
        content = (self.lists / f"{name}.txt").read_bytes()
        if name == "test":
            content += (self.lists / "run.txt").read_bytes()
        return hashlib.sha256(content).hexdigest()

    def _read_stamp(self) -> dict:
        try:
            return dict(json.loads(self.stamp.read_text()))
        except (OSError, ValueError, TypeError):
            return {}

    def _write_stamp(self, content: dict) -> None:
        self.stamp.write_text(json.dumps(content, indent=2) + "\n")


def _use_the_right_python() -> None:
    """Start over under Python 3.11 when another one is running and 3.11 is at hand."""
    if sys.version_info[:2] == NEEDED:
        return
    other = shutil.which("python3.11")
    if not other:
        found = ".".join(str(part) for part in sys.version_info[:2])
        raise CannotPrepare(f"Python 3.11 is needed and this is {found}. Install python3.11, then try again.")
    os.execv(other, [other, *sys.argv])  # noqa: S606


def _missing(module: str) -> str:
    return (
        f"Python's {module} module is missing. Install it with "
        "`sudo apt-get install python3.11-venv` (or your system's package of that name), then try again."
    )


def _quietly(command: Sequence[str]) -> subprocess.CompletedProcess:
    environment = {**os.environ, "PIP_USER": "0", "PIP_REQUIRE_VIRTUALENV": "0"}
    for name in ("PYTHONHOME", "PYTHONPATH", "PIP_TARGET", "PIP_PREFIX"):
        environment.pop(name, None)
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)


def _last_line(done: subprocess.CompletedProcess) -> str:
    lines = [line.strip() for line in (done.stdout + done.stderr).splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR")]
    return (errors or lines or [f"exit code {done.returncode}"])[-1]


def _count(files: Sequence[Path]) -> int:
    texts = [file.read_text().splitlines() for file in files]
    return len({line.split("==")[0] for lines in texts for line in lines if "==" in line and line[0] > " "})


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)  # noqa: T201


if __name__ == "__main__":
    try:
        Environment(PROJECT).prepare(TEST if "test" in sys.argv[1:] else RUN)
    except CannotPrepare as error:
        sys.exit(str(error))
