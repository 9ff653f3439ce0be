import { useMutation as useRpc } from "@connectrpc/connect-query";
import { Button, Group, Modal, Select, Stack, TextInput } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { FaultNotice } from "@/components/ui/fault-notice";
import { Icon } from "@/components/ui/icon";
import { type Drafts, problemsOf, toValues } from "@/features/start/draft";
import { LacksKey } from "@/features/start/lacks-key";
import { ParamField } from "@/features/start/param-field";
import { useSealer } from "@/features/start/use-sealer";
import { type Run, RunService } from "@/gen/signalbox/run/v1/run_pb";
import { useInvalidate } from "@/rpc/invalidate";
import { signalName } from "@/seal";
import { payload, payloadParam } from "./payload";
import type { Signal } from "./signals";

interface SendSignalProps {
  run: Run;
  /** Those to choose from. */
  signals: readonly Signal[];
  opened: boolean;
  onClose: () => void;
}

/** SendSignal asks which signal, where there are several, and for its payload, seals that, and sends it once. */
export function SendSignal({ run, signals, opened, onClose }: SendSignalProps) {
  const what = signals.length === 1 ? `the signal ${signals[0]?.name}` : "a signal";
  return (
    <Modal opened={opened} onClose={onClose} title={`Send ${what} to ${run.pipeline} #${run.number.toString()}`}>
      {opened && <SignalChoice run={run} signals={signals} onClose={onClose} />}
    </Modal>
  );
}

function SignalChoice({ run, signals, onClose }: Omit<SendSignalProps, "opened">) {
  const [name, setName] = useState(signals[0]?.name);
  const signal = signals.find((each) => each.name === name) ?? signals[0];
  if (!signal) return null;
  return (
    <Stack gap="md">
      {signals.length > 1 && (
        <Select
          label="Signal"
          data={signals.map((each) => each.name)}
          value={signal.name}
          onChange={(value) => value && setName(value)}
          allowDeselect={false}
        />
      )}
      {signal.tasks.length > 0 && (
        <span className="sb-dim">{`${listOf(signal.tasks)} takes it; until that waits, the signal is kept.`}</span>
      )}
      <SignalForm key={signal.name} run={run} signal={signal} onClose={onClose} />
    </Stack>
  );
}

function listOf(tasks: readonly string[]): string {
  return tasks.length === 1 ? `The task ${tasks[0]}` : `One of the tasks ${tasks.join(", ")}`;
}

interface SignalFormProps {
  run: Run;
  signal: Signal;
  onClose: () => void;
}

function SignalForm({ run, signal, onClose }: SignalFormProps) {
  const params = payloadParam(signal.type);
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
      const [value] = await toValues(params, drafts, (_, plain) => seal(signalName(signal.name), plain));
      return call.mutateAsync({ id: run.id, name: signal.name, key, payload: value });
    },
    onSuccess: async () => {
      notifications.show({ message: `Sent: the signal ${signal.name}` });
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
