import { useMutation as useRpc } from "@connectrpc/connect-query";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import type { Plan } from "@/features/pipeline/plan";
import { RunService } from "@/gen/signalbox/run/v1/run_pb";
import { useInvalidate } from "@/rpc/invalidate";
import { paramName } from "@/seal";
import { type Drafts, toValues } from "./draft";
import { useSealer } from "./use-sealer";

interface StartInput {
  plan: Plan;
  /** A digest; empty means the deployed version. */
  version: string;
  drafts: Drafts;
  labels: Record<string, string>;
}

/**
 * useStart seals params to the workspace's key and starts a run. One opened form
 * starts one run, however often the button is pressed: it keeps its idempotency
 * key until the answer was read.
 */
export function useStart(onStarted: (run: string) => void) {
  const [idempotencyKey] = useState(() => crypto.randomUUID());
  const invalidate = useInvalidate();
  const { seal, sealingKey, keyKnown } = useSealer();
  const start = useRpc(RunService.method.startRun);
  const mutation = useMutation({
    mutationFn: async ({ plan, version, drafts, labels }: StartInput) => {
      const params = await toValues(plan.params, drafts, (param, plain) => seal(paramName(param), plain));
      return start.mutateAsync({ pipeline: plan.name, version, params, labels, idempotencyKey });
    },
    onSuccess: async ({ run }) => {
      await invalidate(RunService.method.listRuns);
      if (run) onStarted(run.id);
    },
  });
  return { mutation, sealingKey, keyKnown };
}
