"""What every step does with its folders. Files and environment, nothing else."""

import json
import os
from pathlib import Path


def env(name):
    value = os.environ.get(name)
    if value is None:
        raise SystemExit(f"{name} is not set")
    return value


def output(name, value):
    """One file per output, parsed by the type that the pipeline declares."""
    Path(env("SB_OUTPUTS"), name).write_text(f"{value}\n")


def artifact_in(name):
    return Path(env("SB_IN"), name)


def artifact_out(name):
    return Path(env("SB_OUT"), name)


def metric(**numbers):
    append("SB_METRICS", json.dumps(numbers))


def progress(text):
    print(text, flush=True)
    append("SB_PROGRESS", text)


def summary(markdown):
    append("SB_SUMMARY", markdown)


def error(text):
    append("SB_ERROR", text)


def append(variable, line):
    path = os.environ.get(variable)  # by hand, without an agent, there may be none
    if path:
        with open(path, "a") as f:
            f.write(line + "\n")
