import { Command, Copy } from "@/components/ui/copy";
import { Notice } from "@/components/ui/notice";
import { Section } from "@/components/ui/page";
import type { SealingKey } from "@/gen/signalbox/tenancy/v1/organization_pb";
import classes from "./pool.module.css";

interface SealingKeyCardProps {
  sealingKey: SealingKey | undefined;
  /** Agents that are online without the key. */
  missing: readonly string[];
}

/** SealingKeyCard shows whose key protects values here, and how other agents get it. */
export function SealingKeyCard({ sealingKey, missing }: SealingKeyCardProps) {
  return (
    <Section
      title="Sealing key"
      note="Values of this workspace are sealed to it. The private half is with your agents, never here."
    >
      {sealingKey ? (
        <div className={classes.steps}>
          <span>
            <span className="sb-mono">{sealingKey.fingerprint}</span>{" "}
            <Copy value={sealingKey.fingerprint} what="fingerprint" />
          </span>
          <p className="sb-dim">Compare it with what the agent prints. The CLI remembers it from its first use.</p>
          {missing.length > 0 && (
            <>
              <Notice tone="wait" icon="key">
                {missing.join(", ")} {missing.length === 1 ? "works" : "work"} only on what needs no sealed value. Carry
                the key over:
              </Notice>
              <Command
                command="signalbox-agent key export > workspace.key"
                what="export command, on an agent that holds it"
              />
              <Command command="signalbox-agent key import < workspace.key" what="import command, on the other agent" />
            </>
          )}
        </div>
      ) : (
        <p className="sb-dim">The workspace's first agent makes it when it joins.</p>
      )}
    </Section>
  );
}
