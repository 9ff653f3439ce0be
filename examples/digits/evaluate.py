"""Pick the model that validated best and judge it, once, on the test images."""

import html
import shutil

import joblib
import numpy as np
from sklearn.metrics import accuracy_score, confusion_matrix

import step

KINDS = ("logistic", "svm", "forest")

test = np.load(step.artifact_in("data") / "test.npz")
validated = {kind: float(step.env(f"VALIDATED_{kind.upper()}")) for kind in KINDS}
predicted = {kind: joblib.load(step.artifact_in(kind)).predict(test["x"]) for kind in KINDS}
tested = {kind: float(accuracy_score(test["y"], predicted[kind])) for kind in KINDS}

# Chosen by validation: to choose by the test would flatter the winner.
best = max(KINDS, key=validated.get)
confusion = confusion_matrix(test["y"], predicted[best])

table = "| model | validation | test |\n|---|---|---|\n" + "".join(
    f"| {'**' + kind + '**' if kind == best else kind} | {validated[kind]:.4f} | {tested[kind]:.4f} |\n" for kind in KINDS
)
step.summary(f"## Handwritten digits: {best}\n\n{table}")


def row(cells, tag="td"):
    return "<tr>" + "".join(f"<{tag}>{html.escape(str(cell))}</{tag}>" for cell in cells) + "</tr>\n"


step.artifact_out("report").write_text(
    "<!doctype html><meta charset=utf-8><title>digits</title>\n"
    "<style>body{font:15px system-ui;margin:2rem}td,th{padding:.2rem .6rem;text-align:right}</style>\n"
    f"<h1>Handwritten digits: {best}, accuracy {tested[best]:.4f}</h1>\n"
    "<table>" + row(["model", "validation", "test"], "th")
    + "".join(row([k, f"{validated[k]:.4f}", f"{tested[k]:.4f}"]) for k in KINDS)
    + "</table>\n<h2>What was taken for what</h2>\n<table>"
    + row(["is \\ taken for", *range(10)], "th")
    + "".join(row([digit, *counts]) for digit, counts in enumerate(confusion))
    + "</table>\n"
)

shutil.copyfile(step.artifact_in(best), step.artifact_out("model"))
step.output("best", best)
step.output("accuracy", tested[best])
print(f"best is {best}: accuracy {tested[best]:.4f} on {len(test['y'])} test images")
