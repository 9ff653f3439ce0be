"""Fit one kind of model and say how well it does on images it has not seen."""

import joblib
import numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.svm import SVC

import step

FOLDS = 3


def build(kind, seed):
    if kind == "logistic":
        return LogisticRegression(C=1.0, max_iter=2000)
    if kind == "svm":
        return SVC(C=10.0, gamma=0.02)
    if kind == "forest":
        return RandomForestClassifier(n_estimators=200, random_state=seed)
    raise SystemExit(f"KIND={kind}: want logistic, svm or forest")


kind, seed = step.env("KIND"), int(step.env("SEED"))
data = np.load(step.artifact_in("data") / "train.npz")
x, y = data["x"], data["y"]

scores = []
folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
for i, (fit, check) in enumerate(folds.split(x, y), start=1):
    score = build(kind, seed).fit(x[fit], y[fit]).score(x[check], y[check])
    scores.append(score)
    step.metric(fold=i, accuracy=float(score))
    step.progress(f"{i}/{FOLDS + 1} fold {i}: {score:.4f}")

accuracy = float(np.mean(scores))
joblib.dump(build(kind, seed).fit(x, y), step.artifact_out("model"))
step.progress(f"{FOLDS + 1}/{FOLDS + 1} fitted on all {len(x)} images")
step.output("accuracy", accuracy)
print(f"{kind}: accuracy {accuracy:.4f} in cross-validation")
