import { useQuery, useMutation as useRpc } from "@connectrpc/connect-query";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import type { Plan } from "@/features/pipeline/plan";
import { useMembership, useWorkspaceAccess } from "@/features/tenancy/place";
import { PoolService } from "@/gen/signalbox/pool/v1/pool_pb";
import { RunService } from "@/gen/signalbox/run/v1/run_pb";
import { useInvalidate } from "@/rpc/invalidate";
import { keyId, paramName, sealValue } from "@/seal";
import { type Drafts, toValues } from "./draft";

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
  const organization = useMembership().organization?.id ?? "";
  const workspace = useWorkspaceAccess()?.workspace?.id ?? "";
  const [idempotencyKey] = useState(() => crypto.randomUUID());
  const invalidate = useInvalidate();
  const key = useQuery(PoolService.method.getSealingKey, {});
  const start = useRpc(RunService.method.startRun);
  const sealingKey = key.data?.sealingKey;
  const mutation = useMutation({
    mutationFn: async ({ plan, version, drafts, labels }: StartInput) => {
      const seal = async (param: string, plain: Uint8Array) => {
        if (!sealingKey) throw new Error("The workspace has no sealing key yet: its first agent makes it.");
        if ((await keyId(sealingKey.publicKey)) !== sealingKey.kid)
          throw new Error("The sealing key is not the one it claims to be.");
        return sealValue(sealingKey.publicKey, { organization, workspace, name: paramName(param) }, plain);
      };
      const params = await toValues(plan.params, drafts, seal);
      return start.mutateAsync({ pipeline: plan.name, version, params, labels, idempotencyKey });
    },
    onSuccess: async ({ run }) => {
      await invalidate(RunService.method.listRuns);
      if (run) onStarted(run.id);
    },
  });
  return { mutation, sealingKey, keyKnown: key.data !== undefined };
}
