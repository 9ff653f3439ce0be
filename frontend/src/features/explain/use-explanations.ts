import { skipToken, useQuery } from "@connectrpc/connect-query";
import { isTerminal } from "@/features/run/state";
import { type Run, RunService, type Task } from "@/gen/signalbox/run/v1/run_pb";
import { isWaiting } from "./waiting";

const REFRESH_MS = 2000;

/** useExplanations is why a run's tasks do not run, asked again as long as any waits. */
export function useExplanations(run: Run, tasks: readonly Task[], enabled: boolean) {
  const wanted = enabled && !isTerminal(run.state) && tasks.some(isWaiting);
  return useQuery(RunService.method.explainRun, wanted ? { id: run.id } : skipToken, {
    refetchInterval: REFRESH_MS,
    staleTime: 0,
  });
}

/** useExplanation is why one task does not run; undefined while it does, or has ended. */
export function useExplanation(run: Run, task: Task, enabled: boolean) {
  const wanted = enabled && !isTerminal(run.state) && isWaiting(task);
  const query = useQuery(RunService.method.explainRun, wanted ? { id: run.id, task: task.name } : skipToken, {
    refetchInterval: REFRESH_MS,
    staleTime: 0,
    retry: false,
  });
  const explained = query.data?.tasks[0];
  // What was said of it in another state is no longer so.
  return wanted && explained?.state === task.state ? explained : undefined;
}
