import { createClient, type Transport } from "@connectrpc/connect";
import { DataKind, RelayService } from "@/gen/signalbox/relay/v1/relay_pb";
import { logsOf, ReaderKey, valuesOfRun } from "@/seal";

/** Ask is what a reader wants of a run's data. */
export type Ask =
  | { kind: "values" }
  | {
      kind: "logs";
      task: string;
      /** 0 is the last attempt. */
      attempt: number;
      /** The byte to start at. */
      offset: number;
      /** Go on while the attempt runs. */
      follow: boolean;
    };

export type Piece = { kind: "opened"; agent: string } | { kind: "payload"; bytes: Uint8Array };

interface Source {
  transport: Transport;
  /** Ids, `org_…` and `run_…`: the stream is bound to them. */
  organization: string;
  run: string;
  signal: AbortSignal;
}

/**
 * readStream opens one sealed stream: a fresh key pair of which the private half
 * never leaves this tab, and frames that only an agent can have made. Throws a
 * SealError for a stream that was changed or cut, a ConnectError otherwise.
 */
export async function* readStream(source: Source, ask: Ask): AsyncGenerator<Piece> {
  const { organization, run, signal, transport } = source;
  const key = await ReaderKey.generate();
  const what = ask.kind === "values" ? valuesOfRun : logsOf(ask.task, ask.attempt);
  const opener = key.opener({ organization, run, what });
  const stream = createClient(RelayService, transport).openDataStream(
    {
      runId: run,
      publicKey: key.publicKey,
      kind: ask.kind === "values" ? DataKind.VALUES : DataKind.LOGS,
      ...(ask.kind === "logs" && {
        task: ask.task,
        attempt: ask.attempt,
        offset: BigInt(ask.offset),
        follow: ask.follow,
      }),
    },
    { signal },
  );
  for await (const { event } of stream) {
    if (event.case === "opened") yield { kind: "opened", agent: event.value.agentName };
    if (event.case === "frame") yield { kind: "payload", bytes: (await opener.open(event.value.ciphertext)).payload };
  }
  await opener.finish();
}
