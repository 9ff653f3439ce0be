import { createClient } from "@connectrpc/connect";
import { useTransport } from "@connectrpc/connect-query";
import { useDebouncedValue } from "@mantine/hooks";
import { keepPreviousData, useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { PlanParam } from "@/features/pipeline/plan";
import { type Drafts, toValues, unsetOf } from "@/features/start/draft";
import { useSealer } from "@/features/start/use-sealer";
import { type Run, RunService } from "@/gen/signalbox/run/v1/run_pb";
import { useInvalidate } from "@/rpc/invalidate";
import { paramName } from "@/seal";

export interface ResumeInput {
  run: Run;
  /** A digest. */
  version: string;
  /** A task that runs in any case; empty: none. */
  fromTask: string;
  trust: boolean;
  /** The params that differ, and what they are to be. */
  changed: readonly PlanParam[];
  drafts: Drafts;
  /** Whether all of that can be sent. */
  ready: boolean;
}

/** How long nobody must have typed before the server is asked again. */
const REST_MS = 250;

/**
 * useResume asks what a new run would take over, as often as the input changes,
 * and starts it. Params are sealed before they leave the browser, for the
 * question too. One opened form starts one run.
 */
export function useResume(input: ResumeInput, onStarted: (run: string) => void) {
  const transport = useTransport();
  const client = createClient(RunService, transport);
  const invalidate = useInvalidate();
  const { seal, sealingKey, keyKnown } = useSealer();
  const [idempotencyKey] = useState(() => crypto.randomUUID());
  const request = async () => {
    const { run, version, fromTask, trust, changed, drafts } = input;
    const params = await toValues(changed, drafts, (param, plain) => seal(paramName(param), plain));
    return { runId: run.id, version, fromTask, trust, params, unset: unsetOf(changed, drafts) };
  };
  const names = input.changed.map(({ name }) => name);
  const question = JSON.stringify([
    input.run.id,
    input.version,
    input.fromTask,
    input.trust,
    names.map((name) => [name, textOf(input.drafts, name)]),
  ]);
  const [rested] = useDebouncedValue(question, REST_MS);
  const preview = useQuery({
    queryKey: ["resume-preview", rested],
    enabled: input.ready && rested === question && (sealingKey !== undefined || keyKnown),
    retry: false,
    gcTime: 0,
    placeholderData: keepPreviousData,
    queryFn: async ({ signal }) => (await client.restartRun({ ...(await request()), dryRun: true }, { signal })).tasks,
  });
  const restart = useMutation({
    mutationFn: async () => client.restartRun({ ...(await request()), idempotencyKey }),
    onSuccess: async ({ run }) => {
      await invalidate(RunService.method.listRuns);
      if (run) onStarted(run.id);
    },
  });
  return { preview, restart, sealingKey, keyKnown };
}

function textOf(drafts: Drafts, name: string): string {
  const draft = drafts[name];
  return draft && "text" in draft ? draft.text : "";
}
