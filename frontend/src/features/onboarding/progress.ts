import { useQuery } from "@connectrpc/connect-query";
import { PipelineService } from "@/gen/signalbox/pipeline/v1/pipeline_pb";
import { PoolService } from "@/gen/signalbox/pool/v1/pool_pb";
import { RunService } from "@/gen/signalbox/run/v1/run_pb";
import { isComplete, type Progress } from "./steps";

/** An agent that connects is on the screen within two seconds of it. */
const POLL_MS = 1000;

interface Answer {
  progress: Progress | undefined;
  /** What could not be asked. */
  error: unknown;
  /** The pool that the first agent may join. */
  pool: string | undefined;
  refetch: () => void;
}

/** useProgress asks the server once a second until every step is done. */
export function useProgress(): Answer {
  const poll = { refetchInterval: POLL_MS, refetchIntervalInBackground: false } as const;
  const agents = useQuery(PoolService.method.listAgents, {}, { ...poll });
  const pools = useQuery(PoolService.method.listPools, {}, { ...poll });
  const pipelines = useQuery(PipelineService.method.listPipelines, {}, { ...poll });
  const runs = useQuery(RunService.method.listRuns, { pageSize: 1 }, { ...poll });
  const progress = agents.data &&
    pipelines.data &&
    runs.data && {
      agentsOnline: agents.data.agents.filter(({ state }) => state === "online").length,
      agentsEver: agents.data.agents.length,
      pipelines: pipelines.data.pipelines.length,
      runs: runs.data.runs.length,
      succeeded: runs.data.runs.some(({ state }) => state === "succeeded"),
    };
  return {
    progress,
    error: agents.error ?? pipelines.error ?? runs.error ?? pools.error,
    pool: pools.data?.pools[0]?.name,
    refetch: () => void Promise.all([agents.refetch(), pools.refetch(), pipelines.refetch(), runs.refetch()]),
  };
}

/** useIsNew asks once whether the checklist is still needed. */
export function useIsNew(): boolean | undefined {
  const agents = useQuery(PoolService.method.listAgents, {}, { staleTime: 30_000 });
  const pipelines = useQuery(PipelineService.method.listPipelines, {}, { staleTime: 30_000 });
  const runs = useQuery(RunService.method.listRuns, { pageSize: 1 }, { staleTime: 30_000 });
  if (!agents.data || !pipelines.data || !runs.data) return undefined;
  return !isComplete({
    agentsOnline: 0,
    agentsEver: agents.data.agents.length,
    pipelines: pipelines.data.pipelines.length,
    runs: runs.data.runs.length,
    succeeded: false,
  });
}
