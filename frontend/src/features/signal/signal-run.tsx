import { skipToken, useQuery } from "@connectrpc/connect-query";
import { Button } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { Icon } from "@/components/ui/icon";
import { Reasoned } from "@/components/ui/reasoned";
import { parsePlan } from "@/features/pipeline/plan";
import { useWhyNot } from "@/features/tenancy/place";
import { PipelineService } from "@/gen/signalbox/pipeline/v1/pipeline_pb";
import type { Run } from "@/gen/signalbox/run/v1/run_pb";
import { SendSignal } from "./send-signal";
import { signalsOf } from "./signals";

/** SignalRun lets one send a run any signal that its tasks wait for, now or later; nothing where none does. */
export function SignalRun({ run }: { run: Run }) {
  const why = useWhyNot("runs.write");
  const [opened, { open, close }] = useDisclosure();
  const goesOn = run.state === "running" || run.state === "paused";
  const version = useQuery(
    PipelineService.method.getVersion,
    goesOn ? { pipeline: run.pipeline, digest: run.version } : skipToken,
    { staleTime: Number.POSITIVE_INFINITY }, // a version never changes
  );
  const signals = goesOn && version.data ? signalsOf(parsePlan(version.data.plan)) : [];
  if (signals.length === 0) return null;
  return (
    <>
      <Reasoned why={why}>
        <Button
          variant="default"
          disabled={why !== undefined}
          leftSection={<Icon name="bolt" size={15} />}
          onClick={open}
        >
          Signal…
        </Button>
      </Reasoned>
      <SendSignal run={run} signals={signals} opened={opened} onClose={close} />
    </>
  );
}
