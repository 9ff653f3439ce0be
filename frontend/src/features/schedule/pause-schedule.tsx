import { useMutation } from "@connectrpc/connect-query";
import { Button, Group, Modal, TextInput } from "@mantine/core";
import { useState } from "react";
import { FaultNotice } from "@/components/ui/fault-notice";
import { Reasoned } from "@/components/ui/reasoned";
import { useWhyNot } from "@/features/tenancy/place";
import { type Schedule, ScheduleService } from "@/gen/signalbox/schedule/v1/schedule_pb";
import { useInvalidate } from "@/rpc/invalidate";

/** PauseSchedule pauses a schedule with a note, or lets it fire again. */
export function PauseSchedule({ schedule: { name, paused } }: { schedule: Schedule }) {
  const [asking, setAsking] = useState(false);
  const [note, setNote] = useState("");
  const why = useWhyNot("runs.write");
  const invalidate = useInvalidate();
  const done = async () => {
    await invalidate(ScheduleService.method.listSchedules, ScheduleService.method.getSchedule);
    setAsking(false);
  };
  const pause = useMutation(ScheduleService.method.pauseSchedule, { onSuccess: done });
  const resume = useMutation(ScheduleService.method.resumeSchedule, { onSuccess: done });
  return (
    <>
      <Reasoned why={why}>
        <Button
          size="compact-sm"
          variant="subtle"
          disabled={why !== undefined}
          loading={resume.isPending}
          onClick={() => (paused ? resume.mutate({ name }) : setAsking(true))}
          aria-label={`${paused ? "Resume" : "Pause"} ${name}`}
        >
          {paused ? "Resume" : "Pause"}
        </Button>
      </Reasoned>
      <FaultNotice error={resume.error} />
      <Modal opened={asking} onClose={() => setAsking(false)} title={`Pause ${name}`}>
        <form
          onSubmit={(event) => {
            event.preventDefault();
            pause.mutate({ name, note });
          }}
        >
          <TextInput
            label="Why"
            description="What runs goes on. What is due meanwhile is not made up for."
            placeholder="The source is being migrated"
            maxLength={500}
            value={note}
            onChange={(event) => setNote(event.currentTarget.value)}
            data-autofocus
          />
          <FaultNotice error={pause.error} />
          <Group justify="flex-end" mt="lg" gap="xs">
            <Button variant="default" onClick={() => setAsking(false)}>
              Keep it active
            </Button>
            <Button type="submit" loading={pause.isPending}>
              Pause it
            </Button>
          </Group>
        </form>
      </Modal>
    </>
  );
}
