import { Notice } from "@/components/ui/notice";

/** LacksKey says why nothing can be sealed yet. */
export function LacksKey() {
  return (
    <Notice tone="wait" icon="lock">
      The workspace has no sealing key yet: its first agent makes it. Start one, or leave the sealed params at their
      defaults.
    </Notice>
  );
}
