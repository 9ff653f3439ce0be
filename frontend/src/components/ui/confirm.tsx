import { Button, Group, Modal } from "@mantine/core";
import type { ReactNode } from "react";
import { FaultNotice } from "./fault-notice";

interface ConfirmProps {
  opened: boolean;
  onClose: () => void;
  onConfirm: () => void;
  /** The question, with the name of the thing. */
  title: string;
  /** What will happen. */
  children: ReactNode;
  /** The verb on the button. */
  action: string;
  busy?: boolean;
  error?: unknown;
}

/** Confirm asks before something is destroyed. Focus starts on the way out. */
export function Confirm({ opened, onClose, onConfirm, title, children, action, busy = false, error }: ConfirmProps) {
  return (
    <Modal opened={opened} onClose={onClose} title={title}>
      {children}
      {error !== null && error !== undefined && <FaultNotice error={error} />}
      <Group justify="flex-end" mt="lg" gap="xs">
        <Button variant="default" onClick={onClose} data-autofocus>
          Keep it
        </Button>
        <Button color="red" loading={busy} onClick={onConfirm}>
          {action}
        </Button>
      </Group>
    </Modal>
  );
}
