import { useMutation as useRpc } from "@connectrpc/connect-query";
import { Button, Group, Modal, Stack, TextInput } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { FaultNotice } from "@/components/ui/fault-notice";
import { Icon } from "@/components/ui/icon";
import { type Drafts, problemsOf, toValues } from "@/features/start/draft";
import { LacksKey } from "@/features/start/lacks-key";
import { ParamField } from "@/features/start/param-field";
import { useSealer } from "@/features/start/use-sealer";
import { type Hold, type Run, RunService } from "@/gen/signalbox/run/v1/run_pb";
import { useInvalidate } from "@/rpc/invalidate";
import { signalName } from "@/seal";
import { payload, payloadParam } from "./payload";

interface SendSignalProps {
  run: Run;
  hold: Hold;
  opened: boolean;
  onClose: () => void;
}

/** SendSignal asks for the payload of a signal, seals it, and sends it once. */
export function SendSignal({ run, hold, opened, onClose }: SendSignalProps) {
  return (
    <Modal
      opened={opened}
      onClose={onClose}
      title={`Send the signal ${hold.signal} to ${run.pipeline} #${run.number.toString()}`}
    >
      {opened && <SignalForm run={run} hold={hold} onClose={onClose} />}
    </Modal>
  );
}

function SignalForm({ run, hold, onClose }: Omit<SendSignalProps, "opened">) {
  const params = payloadParam(hold.signalType);
  const [drafts, setDrafts] = useState<Drafts>({ [payload]: { text: "" } });
  // One opened dialog sends one signal, however often the button is pressed.
  const [key, setKey] = useState<string>(() => crypto.randomUUID());
  const [tried, setTried] = useState(false);
  const problems = problemsOf(params, drafts);
  const { seal, sealingKey, keyKnown } = useSealer();
  const lacksKey = params.length > 0 && keyKnown && !sealingKey;
  const invalidate = useInvalidate();
  const call = useRpc(RunService.method.signalRun);
  const send = useMutation({
    mutationFn: async () => {
      const [value] = await toValues(params, drafts, (_, plain) => seal(signalName(hold.signal), plain));
      return call.mutateAsync({ id: run.id, name: hold.signal, key, payload: value });
    },
    onSuccess: async () => {
      notifications.show({ message: `Sent: the signal ${hold.signal}` });
      onClose();
      await invalidate(RunService.method.getRun, RunService.method.getTask, RunService.method.getRunValues);
    },
  });
  return (
    <form
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        setTried(true);
        if (Object.keys(problems).length === 0 && !lacksKey) send.mutate();
      }}
    >
      <Stack gap="md">
        {params.length === 0 && <span className="sb-dim">This signal carries no payload.</span>}
        {params.map((param) => (
          <ParamField
            key={param.name}
            param={param}
            draft={drafts[payload] ?? { text: "" }}
            problem={tried ? problems[payload] : undefined}
            onChange={(draft) => setDrafts({ [payload]: draft })}
          />
        ))}
        <TextInput
          label="Idempotency key"
          description="The same signal with the same key counts once, whoever sends it and however often."
          value={key}
          onChange={(event) => setKey(event.currentTarget.value)}
          maxLength={200}
          classNames={{ input: "sb-mono" }}
        />
        {lacksKey && <LacksKey />}
        <FaultNotice error={send.error} />
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onClose}>
            Not now
          </Button>
          <Button type="submit" loading={send.isPending} leftSection={<Icon name="bolt" size={15} />}>
            Send it
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
