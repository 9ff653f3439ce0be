/** Progress is what the server says about a workspace that starts out. */
export interface Progress {
  agentsOnline: number;
  agentsEver: number;
  pipelines: number;
  runs: number;
  /** A run ended well. */
  succeeded: boolean;
}

export type StepName = "agent" | "pipeline" | "run";

export interface Step {
  name: StepName;
  title: string;
  done: boolean;
  /** The first step that is not done is the one to do. */
  current: boolean;
}

const titles: Record<StepName, string> = {
  agent: "Install an agent",
  pipeline: "Apply a pipeline",
  run: "Start a run",
};

/** stepsOf ticks the checklist from the server's state, never from clicks. */
export function stepsOf(progress: Progress): Step[] {
  const done: Record<StepName, boolean> = {
    agent: progress.agentsEver > 0,
    pipeline: progress.pipelines > 0,
    run: progress.runs > 0,
  };
  const names: StepName[] = ["agent", "pipeline", "run"];
  const current = names.find((name) => !done[name]);
  return names.map((name) => ({ name, title: titles[name], done: done[name], current: name === current }));
}

export function isComplete(progress: Progress): boolean {
  return stepsOf(progress).every(({ done }) => done);
}
