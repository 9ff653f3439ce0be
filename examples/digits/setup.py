"""Find a Python that has scikit-learn, or make one in .venv; hand its path on.

The environment is made once and reused by later runs. A lock keeps two runs that
start together from making it twice; a mark that names the requirements is written
last, so a half-made environment is made anew.
"""

import fcntl
import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

import step

HERE = Path(__file__).resolve().parent
VENV = HERE / ".venv"
REQUIREMENTS = HERE / "requirements.txt"


def sklearn_of(python):
    """The version of scikit-learn that this Python has, or None."""
    probe = "import sklearn, sklearn.svm; print(sklearn.__version__)"
    try:
        found = subprocess.run([python, "-c", probe], capture_output=True, text=True, check=False)
    except OSError:
        return None
    return found.stdout.strip() if found.returncode == 0 else None


def system_python():
    for python in dict.fromkeys([sys.executable, "/usr/bin/python3"]):
        version = sklearn_of(python)
        if version:
            return python, version
    return None, None


def made_python():
    digest = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()[:16]
    mark = VENV / f"ready-{digest}-{sys.version_info.major}.{sys.version_info.minor}"
    python = VENV / "bin" / "python"
    with open(HERE / ".venv.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not mark.exists():
            print(f"making {VENV} (once)", flush=True)
            shutil.rmtree(VENV, ignore_errors=True)
            run(sys.executable, "-m", "venv", str(VENV))
            run(str(python), "-m", "pip", "install", "--disable-pip-version-check", "--quiet", "-r", str(REQUIREMENTS))
            mark.touch()
    return str(python), sklearn_of(str(python))


def run(*argv):
    if subprocess.run(argv, check=False).returncode != 0:
        step.error("scikit-learn could not be installed; `apt-get install python3-sklearn` would also do")
        raise SystemExit(1)


python, version = system_python()
where = "the system's"
if not python:
    python, version = made_python()
    where = "from PyPI, in .venv"
if not version:
    step.error(f"{python} cannot import scikit-learn")
    raise SystemExit(1)
print(f"scikit-learn {version} ({where}): {python}")
step.output("python", python)
step.output("version", version)
