import { useMutation } from "@connectrpc/connect-query";
import { Button, Group, Modal, Textarea } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useState } from "react";
import { FaultNotice } from "@/components/ui/fault-notice";
import { Icon } from "@/components/ui/icon";
import { ApprovalService } from "@/gen/signalbox/run/v1/approval_pb";
import { RunService } from "@/gen/signalbox/run/v1/run_pb";
import type { Value } from "@/gen/signalbox/run/v1/value_pb";
import { useInvalidate } from "@/rpc/invalidate";
import { Message } from "./message";

export interface Question {
  runId: string;
  /** As people call the run: `fraud-train #12`. */
  run: string;
  task: string;
  message?: Value;
}

interface DecideProps {
  question: Question;
  reject: boolean;
  opened: boolean;
  onClose: () => void;
}

const MOST = 1000;

/** Decide asks for a word on the vote, and casts it. */
export function Decide({ question, reject, opened, onClose }: DecideProps) {
  const [comment, setComment] = useState("");
  const invalidate = useInvalidate();
  const vote = useMutation(ApprovalService.method.decideApproval, {
    onSuccess: async () => {
      notifications.show({ message: `${reject ? "Rejected" : "Approved"}: ${question.task} of ${question.run}` });
      setComment("");
      onClose();
      await invalidate(ApprovalService.method.listApprovals, RunService.method.getRun, RunService.method.listRuns);
    },
  });
  return (
    <Modal
      opened={opened}
      onClose={onClose}
      title={`${reject ? "Reject" : "Approve"} ${question.task} of ${question.run}?`}
    >
      <form
        onSubmit={(event) => {
          event.preventDefault();
          vote.mutate({ runId: question.runId, task: question.task, reject, comment });
        }}
      >
        {opened && question.message && (
          <Message run={{ id: question.runId, seq: 0n }} task={question.task} value={question.message} />
        )}
        <Textarea
          mt={question.message ? "md" : undefined}
          label="Comment"
          description="Kept in the open, in the run's history. Your vote is an entry of the audit log."
          value={comment}
          onChange={(event) => setComment(event.currentTarget.value)}
          maxLength={MOST}
          autosize
          minRows={2}
          data-autofocus
        />
        {vote.error && <FaultNotice error={vote.error} />}
        <Group justify="flex-end" mt="lg" gap="xs">
          <Button variant="default" onClick={onClose}>
            Not now
          </Button>
          <Button
            type="submit"
            color={reject ? "red" : undefined}
            loading={vote.isPending}
            leftSection={<Icon name={reject ? "x" : "circleCheck"} size={15} />}
          >
            {reject ? "Reject" : "Approve"}
          </Button>
        </Group>
      </form>
    </Modal>
  );
}
