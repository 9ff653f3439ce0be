import { Button } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { Icon } from "@/components/ui/icon";
import { Reasoned } from "@/components/ui/reasoned";
import { useWhyNot } from "@/features/tenancy/place";
import type { Hold, Run } from "@/gen/signalbox/run/v1/run_pb";
import { SendSignal } from "./send-signal";

interface SignalButtonProps {
  run: Run;
  hold: Hold;
}

/** SignalButton lets one send what a task waits for. */
export function SignalButton({ run, hold }: SignalButtonProps) {
  const why = useWhyNot("runs.write");
  const [opened, { open, close }] = useDisclosure();
  return (
    <div>
      <Reasoned why={why}>
        <Button
          size="compact-md"
          disabled={why !== undefined}
          onClick={open}
          leftSection={<Icon name="bolt" size={15} />}
        >
          Send the signal…
        </Button>
      </Reasoned>
      <SendSignal
        run={run}
        signals={[{ name: hold.signal, type: hold.signalType, tasks: [] }]}
        opened={opened}
        onClose={close}
      />
    </div>
  );
}
