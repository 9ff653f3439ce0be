import { useQuery as useRpc, useTransport } from "@connectrpc/connect-query";
import { useQuery } from "@tanstack/react-query";
import { readStream } from "@/features/relay/stream";
import { useMembership } from "@/features/tenancy/place";
import type { Run } from "@/gen/signalbox/run/v1/run_pb";
import { RunService } from "@/gen/signalbox/run/v1/run_pb";
import { concat } from "@/seal/bytes";
import { type Document, parseDocument } from "./document";

/** What an agent opened, and which one did. */
export interface OpenedValues {
  document: Document;
  agent: string;
}

/**
 * useOpened asks an agent for a run's values, sealed to this tab. It asks again
 * when the run has moved on. Nothing of it is kept once nobody looks.
 */
export function useOpened(run: Pick<Run, "id" | "seq">, enabled: boolean) {
  const transport = useTransport();
  const organization = useMembership().organization?.id ?? "";
  return useQuery({
    queryKey: ["opened-values", organization, run.id, run.seq.toString()],
    enabled,
    retry: false,
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
    placeholderData: (before: OpenedValues | undefined, query) => (query?.queryKey[2] === run.id ? before : undefined),
    queryFn: async ({ signal }): Promise<OpenedValues> => {
      const pieces: Uint8Array[] = [];
      let agent = "";
      for await (const piece of readStream({ transport, organization, run: run.id, signal }, { kind: "values" })) {
        if (piece.kind === "opened") agent = piece.agent;
        else pieces.push(piece.bytes);
      }
      return { document: parseDocument(new TextDecoder().decode(concat(...pieces))), agent };
    },
  });
}

/**
 * useValues is a run's params and outputs as the server has them: open, or
 * sealed. With a path they are those of one task.
 */
export function useValues(run: Pick<Run, "id" | "seq">, task = "") {
  return useRpc(RunService.method.getRunValues, { id: run.id, task }, { staleTime: 2000, refetchInterval: 5000 });
}
