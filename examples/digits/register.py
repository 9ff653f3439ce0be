"""Put the model into the registry, a folder, under the next free number."""

import json
import shutil
from pathlib import Path

import step


def claim(registry):
    """The next version: mkdir decides between two runs that ask at once."""
    version = 1 + max((int(p.name) for p in registry.iterdir() if p.name.isdigit()), default=0)
    while True:
        folder = registry / str(version)
        try:
            folder.mkdir()
            return version, folder
        except FileExistsError:
            version += 1


registry = Path(step.env("REGISTRY")).resolve()
registry.mkdir(parents=True, exist_ok=True)
version, folder = claim(registry)
shutil.copyfile(step.artifact_in("model"), folder / "model.joblib")
card = {"version": version, "kind": step.env("KIND"), "accuracy": float(step.env("ACCURACY"))}
(folder / "card.json").write_text(json.dumps(card, indent=2) + "\n")

step.output("version", version)
step.output("uri", (folder / "model.joblib").as_uri())
print(f"registered as version {version}")
