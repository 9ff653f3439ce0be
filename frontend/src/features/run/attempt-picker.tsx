import { SegmentedControl } from "@mantine/core";
import type { Attempt } from "@/gen/signalbox/run/v1/run_pb";
import { attemptLook } from "./state";

interface AttemptPickerProps {
  attempts: readonly Attempt[];
  value: number;
  onChange: (attempt: number) => void;
}

/** AttemptPicker chooses whose log is shown, where a task was tried more than once. */
export function AttemptPicker({ attempts, value, onChange }: AttemptPickerProps) {
  if (attempts.length < 2) return null;
  return (
    <SegmentedControl
      size="xs"
      mb={8}
      aria-label="Attempt"
      value={String(value)}
      onChange={(next) => onChange(Number(next))}
      data={attempts.map(({ number, state }) => ({
        value: String(number),
        label: `Try ${number}: ${attemptLook(state).label.toLowerCase()}`,
      }))}
    />
  );
}
