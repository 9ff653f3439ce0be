"""Let a model pass that is good enough; else skip what comes after (exit 77)."""

import sys

import step

accuracy, wanted = float(step.env("ACCURACY")), float(step.env("MIN_ACCURACY"))
if accuracy < wanted:
    print(f"accuracy {accuracy:.4f} is below {wanted}: the model is not registered")
    sys.exit(77)
print(f"accuracy {accuracy:.4f} reaches {wanted}")
