import { ActionIcon, Tooltip } from "@mantine/core";
import { Icon } from "@/components/ui/icon";
import { useShortcuts } from "@/features/shell/shortcut";

/** HistoryButton opens a run's history. */
export function HistoryButton({ onOpen }: { onOpen: () => void }) {
  useShortcuts([{ keys: "h", what: "Go back in the run's history", run: onOpen }]);
  return (
    <Tooltip label="Go back in its history">
      <ActionIcon variant="default" size={34} aria-label="Go back in its history" onClick={onOpen}>
        <Icon name="history" />
      </ActionIcon>
    </Tooltip>
  );
}
