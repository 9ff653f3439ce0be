"""Split scikit-learn's bundled handwritten digits into training and test images."""

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import step

digits = load_digits()
train_x, test_x, train_y, test_y = train_test_split(
    digits.data / 16.0,  # pixels are 0..16
    digits.target,
    test_size=float(step.env("TEST_SHARE")),
    random_state=int(step.env("SEED")),
    stratify=digits.target,
)

folder = step.artifact_out("data")
folder.mkdir()
np.savez_compressed(folder / "train.npz", x=train_x, y=train_y)
np.savez_compressed(folder / "test.npz", x=test_x, y=test_y)

step.output("train_rows", len(train_x))
step.output("test_rows", len(test_x))
print(f"{len(train_x)} images to train on, {len(test_x)} to test with")
