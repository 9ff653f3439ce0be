import type { Value } from "@/gen/signalbox/run/v1/value_pb";
import type { AttemptScript, RunScript, TaskScript } from "./fold";
import { makePeople, type People } from "./people";
import { digits, embeddings, fraud, type MockPipeline, pipelines } from "./plans";
import { mockId, Random } from "./random";

/**
 * Scenario picks what the mock holds: `full` is a team at work, `fresh` an
 * organization without an agent, `new` an account without an organization,
 * `out` nobody signed in.
 */
export type Scenario = "full" | "fresh" | "new" | "out";

export interface World {
  scenario: Scenario;
  signedIn: boolean;
  hasOrg: boolean;
  invited: boolean;
  startedAt: number;
  runs: RunScript[];
  pipelines: { pipeline: MockPipeline; deployed: number }[];
  /** When an agent of a fresh organization connects by itself. */
  agentAt: number | undefined;
  paused: Map<string, string>;
  revokedAgents: Set<string>;
  people: People;
  signals: { run: string; name: string; key: string; payload: Value | undefined }[];
}

export const orgId = mockId("org", 1);

const people = ["Mara Lindqvist", "Jonas Weber", "Priya Raman", "ci-deploy", "Tomás Oliveira"];
const HOUR = 3_600_000;

/** scriptOf makes the script of a run, with failures where the seed says so. */
export function scriptOf(
  pipeline: MockPipeline,
  seed: number,
  createdAt: number,
  fate: "good" | "bad" | "retry" | "lost",
): RunScript {
  const random = new Random(seed);
  const unlucky = fate === "good" ? -1 : random.between(1, Math.min(4, pipeline.tasks.length - 1));
  return {
    id: mockId("run", seed),
    org: "northwind",
    ws: "research",
    pipeline: pipeline.name,
    version: pipeline.digests[0] ?? "",
    number: seed,
    actor: random.pick(people),
    cause: "user",
    labels: pipeline.labels,
    createdAt,
    tasks: pipeline.tasks.map(
      (task, i): TaskScript => ({
        name: task.name,
        needs: task.needs ?? [],
        pool: task.pool,
        exit: task.exit ?? "",
        attempts: attemptsOf(task.seconds * 1000, random, i === unlucky ? fate : "good"),
      }),
    ),
  };
}

function attemptsOf(running: number, random: Random, fate: "good" | "bad" | "retry" | "lost"): AttemptScript[] {
  const queued = random.between(5, 1800);
  const starting = random.between(60, 900);
  const good: AttemptScript = {
    queued,
    starting,
    running: Math.round(running * (0.8 + random.next() * 0.4)),
    end: "succeeded",
  };
  const bad: AttemptScript = {
    ...good,
    running: Math.round(good.running * 0.45),
    end: "failed",
    exitCode: 1,
    reason: "exit 1",
    backoff: 10_000,
  };
  if (fate === "retry") return [bad, { ...good, queued: 300 }];
  if (fate === "lost")
    return [
      { ...good, running: Math.round(running * 0.6), end: "lost", reason: "the agent's session expired", backoff: 0 },
      { ...good, queued: 2200 },
    ];
  if (fate === "bad") {
    const oom = random.next() < 0.4;
    const last: AttemptScript = {
      ...bad,
      exitCode: oom ? 137 : 2,
      reason: oom ? "exit 137: out of memory (8 GiB)" : "exit 2",
    };
    return [bad, last];
  }
  return [good];
}

function history(now: number): RunScript[] {
  const random = new Random(42);
  const runs: RunScript[] = [];
  let at = now - 30 * 24 * HOUR;
  let number = 100;
  while (at < now - 20 * 60_000) {
    const pipeline = random.pick([digits, digits, fraud, embeddings]);
    const dice = random.next();
    const fate = dice < 0.74 ? "good" : dice < 0.86 ? "bad" : dice < 0.95 ? "retry" : "lost";
    runs.push(scriptOf(pipeline, number++, at, fate));
    at += random.between(HOUR / 4, 7 * HOUR);
  }
  const canceled = runs.at(-3);
  if (canceled) canceled.canceledAt = canceled.createdAt + 21_000;
  return runs;
}

export function makeWorld(scenario: Scenario, now: number): World {
  const full = scenario === "full";
  const runs = full ? history(now) : [];
  if (full) {
    runs.push(scriptOf(fraud, 901, now - 11 * 60_000, "bad"));
    runs.push(scriptOf(embeddings, 902, now - 34_000, "good"));
    runs.push(scriptOf(digits, 903, now - 21_000, "retry"));
    runs.unshift(scriptOf(fraud, 904, now - 29 * 24 * HOUR, "bad"));
  }
  return {
    scenario,
    signedIn: scenario !== "out",
    hasOrg: scenario === "full" || scenario === "fresh",
    invited: scenario === "new",
    startedAt: now,
    runs: runs.reverse(),
    pipelines: full ? pipelines.map((pipeline) => ({ pipeline, deployed: 0 })) : [],
    agentAt: full ? 0 : undefined,
    paused: new Map(full ? [["spot", "Prices are up; back on Monday. Mara"]] : []),
    revokedAgents: new Set(),
    people: makePeople(),
    signals: [],
  };
}

/** scenarioOf reads `?mock=fresh` once and keeps it for the tab. */
export function scenarioOf(url: URL): Scenario {
  const asked = url.searchParams.get("mock") ?? sessionStorage.getItem("mock") ?? "full";
  const scenario = (["full", "fresh", "new", "out"] as const).find((each) => each === asked) ?? "full";
  sessionStorage.setItem("mock", scenario);
  return scenario;
}
