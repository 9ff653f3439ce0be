import { mockHex } from "./random";

// The pipelines of the mock: what a server would have compiled from the source.

export interface MockTask {
  name: string;
  needs?: number[];
  run?: string;
  command?: string[];
  pool: string;
  exit?: string;
  rule?: string;
  env?: Record<string, string>;
  secrets?: Record<string, string>;
  outputs?: { name: string; type: string; open?: boolean }[];
  artifacts_out?: { name: string; type: string; path?: string }[];
  resources?: Record<string, unknown>;
  retry?: Record<string, unknown>;
  timeouts?: Record<string, number>;
  /** Not of the plan: how long the mock lets it run, and its log. */
  seconds: number;
}

export interface MockPipeline {
  name: string;
  pool: string;
  labels: Record<string, string>;
  params: Record<string, unknown>[];
  tasks: MockTask[];
  source: string;
  digests: string[];
}

const digitsSource = `signalbox: v1
name: digits
labels: {team: vision, cost-center: ml-42}
pool: cpu
source: {path: /srv/examples/digits}
params:
  test_share:   {type: float, default: 0.25, min: 0.05, max: 0.5, open: true}
  min_accuracy: {type: float, default: 0.95, open: true}      # the gate; open, so that we can plot it
  seed:         {type: int, default: 7}
tasks:
  prepare:
    command: [.venv/bin/python, prepare.py]
    env: {TEST_SHARE: "\${{ params.test_share }}", SEED: "\${{ params.seed }}"}
    outputs: {rows: {type: int, open: true}}
    artifacts: {out: {data: {type: dataset, path: out/digits.npz}}}
  # Three models, side by side.
  train-logreg:
    command: [.venv/bin/python, train.py, logreg]
    artifacts: {in: {data: "\${{ tasks.prepare.artifacts.data }}"}, out: {model: {type: model}}}
    outputs: {accuracy: {type: float, open: true}}
    retry: {user: 1}
  train-svm:
    command: [.venv/bin/python, train.py, svm]
    artifacts: {in: {data: "\${{ tasks.prepare.artifacts.data }}"}, out: {model: {type: model}}}
    outputs: {accuracy: {type: float, open: true}}
  train-forest:
    command: [.venv/bin/python, train.py, forest]
    artifacts: {in: {data: "\${{ tasks.prepare.artifacts.data }}"}, out: {model: {type: model}}}
    outputs: {accuracy: {type: float, open: true}}
  evaluate:
    needs: [train-logreg, train-svm, train-forest]
    command: [.venv/bin/python, evaluate.py]
    outputs: {accuracy: {type: float, open: true}, best: string}
  gate:
    run: test "$(python -c 'print($ACCURACY >= $MIN)')" = True || exit 77
    env: {ACCURACY: "\${{ tasks.evaluate.outputs.accuracy }}", MIN: "\${{ params.min_accuracy }}"}
  register:
    needs: [gate]
    command: [.venv/bin/python, register.py]
    secrets: {REGISTRY_TOKEN: "env:REGISTRY_TOKEN"}
    outputs: {uri: uri}
on_exit:
  - {when: always, task: {run: 'rm -rf "$SB_SCRATCH"'}}
`;

const open = (name: string, type = "float") => ({ name, type, open: true });

export const digits: MockPipeline = {
  name: "digits",
  pool: "cpu",
  labels: { team: "vision", "cost-center": "ml-42" },
  params: [
    {
      name: "test_share",
      type: "float",
      open: true,
      default: 0.25,
      min: 0.05,
      max: 0.5,
      description: "Share of the rows kept for the test.",
    },
    { name: "min_accuracy", type: "float", open: true, default: 0.95 },
    { name: "seed", type: "int", default: 7 },
  ],
  tasks: [
    {
      name: "prepare",
      pool: "cpu",
      command: [".venv/bin/python", "prepare.py"],
      outputs: [open("rows", "int")],
      artifacts_out: [{ name: "data", type: "dataset", path: "out/digits.npz" }],
      seconds: 9,
    },
    {
      name: "train-logreg",
      needs: [0],
      pool: "cpu",
      command: [".venv/bin/python", "train.py", "logreg"],
      outputs: [open("accuracy")],
      retry: { user: 1 },
      seconds: 16,
    },
    {
      name: "train-svm",
      needs: [0],
      pool: "cpu",
      command: [".venv/bin/python", "train.py", "svm"],
      outputs: [open("accuracy")],
      seconds: 24,
    },
    {
      name: "train-forest",
      needs: [0],
      pool: "cpu",
      command: [".venv/bin/python", "train.py", "forest"],
      outputs: [open("accuracy")],
      resources: { cpu_millis: 4000, memory_bytes: 8589934592 },
      seconds: 38,
    },
    {
      name: "evaluate",
      needs: [1, 2, 3],
      pool: "cpu",
      command: [".venv/bin/python", "evaluate.py"],
      outputs: [open("accuracy"), { name: "best", type: "string" }],
      seconds: 8,
    },
    {
      name: "gate",
      needs: [4],
      pool: "cpu",
      run: "test \"$(python -c 'print($ACCURACY >= $MIN)')\" = True || exit 77",
      seconds: 2,
    },
    {
      name: "register",
      needs: [5],
      pool: "cpu",
      command: [".venv/bin/python", "register.py"],
      secrets: { REGISTRY_TOKEN: "env:REGISTRY_TOKEN" },
      outputs: [{ name: "uri", type: "uri" }],
      seconds: 5,
    },
    { name: "on-exit-1", pool: "cpu", exit: "always", run: 'rm -rf "$SB_SCRATCH"', seconds: 1 },
  ],
  source: digitsSource,
  digests: [mockHex(11), mockHex(12), mockHex(13)],
};

const fraudSource = `signalbox: v1
name: fraud-train
labels: {team: risk, cost-center: ml-42}
pool: gpu-eu
params:
  dataset: {type: uri, default: "s3://lake/transactions/latest", open: true}
  epochs:  {type: int, default: 10, min: 1, max: 500}
  min_auc: {type: float, default: 0.91, open: true}
  note:    {type: string, required: false}
defaults: {retry: {user: 2, backoff: [10s, 1m, 5m], jitter: full}}
tasks:
  extract:
    pool: cpu
    command: [python, extract.py]
    env: {DATASET: "\${{ params.dataset }}"}
    secrets: {LAKE_TOKEN: "file:/run/secrets/lake"}
    outputs: {rows: {type: int, open: true}}
  features:
    pool: cpu
    command: [python, features.py]
    needs: [extract]
  train:
    run: torchrun train.py --epochs "$EPOCHS"
    env: {EPOCHS: "\${{ params.epochs }}"}
    needs: [features]
    outputs: {auc: {type: float, open: true}}
    resources: {gpu: 1, gpu_type: [a100, h100], cpu: 8, memory: 64Gi}
    timeouts: {queue: 2h, run: 4h}
  calibrate:
    command: [python, calibrate.py]
    needs: [train]
  evaluate:
    pool: cpu
    command: [python, eval.py]
    needs: [calibrate]
    outputs: {auc: {type: float, open: true}, best: uri}
on_exit:
  - {when: failed, task: {run: './page.sh "$SB_RUN_URL"'}}
`;

export const fraud: MockPipeline = {
  name: "fraud-train",
  pool: "gpu-eu",
  labels: { team: "risk", "cost-center": "ml-42" },
  params: [
    { name: "dataset", type: "uri", open: true, default: "s3://lake/transactions/latest" },
    { name: "epochs", type: "int", default: 10, min: 1, max: 500 },
    { name: "min_auc", type: "float", open: true, default: 0.91 },
    { name: "note", type: "string" },
  ],
  tasks: [
    { name: "extract", pool: "cpu", command: ["python", "extract.py"], outputs: [open("rows", "int")], seconds: 42 },
    { name: "features", needs: [0], pool: "cpu", command: ["python", "features.py"], seconds: 65 },
    {
      name: "train",
      needs: [1],
      pool: "gpu-eu",
      run: 'torchrun train.py --epochs "$EPOCHS"',
      outputs: [open("auc")],
      resources: { gpus: 1, gpu_types: ["a100", "h100"], cpu_millis: 8000, memory_bytes: 68719476736 },
      retry: { user: 2 },
      seconds: 480,
    },
    { name: "calibrate", needs: [2], pool: "gpu-eu", command: ["python", "calibrate.py"], seconds: 30 },
    {
      name: "evaluate",
      needs: [3],
      pool: "cpu",
      command: ["python", "eval.py"],
      outputs: [open("auc"), { name: "best", type: "uri" }],
      seconds: 25,
    },
    { name: "on-exit-1", pool: "cpu", exit: "failed", run: './page.sh "$SB_RUN_URL"', seconds: 1 },
  ],
  source: fraudSource,
  digests: [mockHex(21), mockHex(22)],
};

const shards = Array.from({ length: 60 }, (_, i) => i);

/** A wide graph, to see that many tasks stay usable. */
export const embeddings: MockPipeline = {
  name: "nightly-embeddings",
  pool: "gpu-eu",
  labels: { team: "search" },
  params: [{ name: "day", type: "string", open: true, default: "latest" }],
  tasks: [
    { name: "list", pool: "cpu", command: ["python", "list.py"], seconds: 4 },
    ...shards.map((i) => ({
      name: `embed-${String(i).padStart(2, "0")}`,
      needs: [0],
      pool: "gpu-eu",
      command: ["python", "embed.py", String(i)],
      seconds: 20 + ((i * 37) % 45),
    })),
    { name: "merge", needs: shards.map((i) => i + 1), pool: "cpu", command: ["python", "merge.py"], seconds: 12 },
    { name: "publish", needs: [61], pool: "cpu", command: ["python", "publish.py"], seconds: 3 },
  ],
  source:
    "signalbox: v1\nname: nightly-embeddings\nlabels: {team: search}\npool: gpu-eu\n# 60 shards, written by a script\ntasks:\n  list:\n    pool: cpu\n    command: [python, list.py]\n",
  digests: [mockHex(31)],
};

export const pipelines = [digits, embeddings, fraud];
