import { useLocalStorage } from "@mantine/hooks";

/** useSkipped keeps per workspace, in this browser, that the reader put the checklist away. */
export function useSkipped(org: string, ws: string): [boolean, (skipped: boolean) => void] {
  const [skipped, setSkipped] = useLocalStorage({ key: `signalbox-checklist-${org}-${ws}`, defaultValue: "no" });
  return [skipped === "yes", (next) => setSkipped(next ? "yes" : "no")];
}
