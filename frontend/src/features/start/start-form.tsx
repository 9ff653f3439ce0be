import { Button, Modal, TagsInput } from "@mantine/core";
import { useClipboard } from "@mantine/hooks";
import { notifications } from "@mantine/notifications";
import { type ReactNode, useState } from "react";
import { FaultNotice } from "@/components/ui/fault-notice";
import { Icon } from "@/components/ui/icon";
import { Notice } from "@/components/ui/notice";
import type { Plan } from "@/features/pipeline/plan";
import { startCommand } from "@/features/run/cli";
import { sortedEntries, splitLabel } from "@/format/labels";
import { type Drafts, needsKey, problemsOf } from "./draft";
import { LacksKey } from "./lacks-key";
import { ParamField } from "./param-field";
import classes from "./start.module.css";
import { useStart } from "./use-start";

interface StartFormProps {
  plan: Plan;
  /** A digest; empty means the deployed version. */
  version: string;
  /** What the fields hold at first. */
  initial: Drafts;
  /** The run that the values come from, as people call it: `digits #12`. */
  from: string | undefined;
  initialLabels: Record<string, string>;
  onStarted: (run: string) => void;
  onClose: () => void;
}

/** StartForm is a form made of a plan's typed params. */
export function StartForm({ plan, version, initial, from, initialLabels, onStarted, onClose }: StartFormProps) {
  const [drafts, setDrafts] = useState(initial);
  const [labels, setLabels] = useState(() => sortedEntries(initialLabels).map(([key, value]) => `${key}=${value}`));
  const [tried, setTried] = useState(false);
  const { mutation, sealingKey, keyKnown } = useStart(onStarted);
  const { copy } = useClipboard();
  const problems = problemsOf(plan.params, drafts);
  const pairs = labels.flatMap((label) => {
    const pair = splitLabel(label);
    return pair ? [pair] : [];
  });
  const lacksKey = keyKnown && !sealingKey && needsKey(plan.params, drafts);
  const copyCommand = () => {
    const params = plan.params.flatMap(({ name }): [string, string][] => {
      const draft = drafts[name];
      return draft && "text" in draft && draft.text !== "" ? [[name, draft.text]] : [];
    });
    copy(startCommand({ pipeline: plan.name, version, params, labels: pairs }));
    notifications.show({ message: "Copied the command that starts the same run" });
  };
  return (
    <form
      className={classes.form}
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        setTried(true);
        if (Object.keys(problems).length > 0 || lacksKey) return;
        mutation.mutate({ plan, version, drafts, labels: Object.fromEntries(pairs) });
      }}
    >
      {from && (
        <Notice tone="neutral" icon="history">
          Filled with the values of {from}.
        </Notice>
      )}
      {plan.params.length === 0 && <span className="sb-dim">This pipeline has no params.</span>}
      {plan.params.map((param) => (
        <ParamField
          key={param.name}
          param={param}
          draft={drafts[param.name] ?? { text: "" }}
          problem={tried || changed(initial, drafts, param.name) ? problems[param.name] : undefined}
          onChange={(draft) => setDrafts({ ...drafts, [param.name]: draft })}
        />
      ))}
      <TagsInput
        label="Labels"
        description="For the bill and for finding the run again, as team=risk. Enter adds one."
        value={labels}
        onChange={(next) => setLabels(next.filter((label) => splitLabel(label) !== undefined))}
      />
      {lacksKey && <LacksKey />}
      <FaultNotice error={mutation.error} />
      <div className={classes.foot}>
        <span className={classes.key}>{sealingKey && `Sealed to ${sealingKey.fingerprint}`}</span>
        <Button variant="default" leftSection={<Icon name="terminal" size={15} />} onClick={copyCommand}>
          Copy as CLI
        </Button>
        <Button variant="default" onClick={onClose}>
          Close
        </Button>
        <Button type="submit" loading={mutation.isPending} leftSection={<Icon name="run" size={15} />}>
          Start the run
        </Button>
      </div>
    </form>
  );
}

function changed(initial: Drafts, drafts: Drafts, name: string): boolean {
  return initial[name] !== drafts[name];
}

interface StartModalProps {
  opened: boolean;
  title: string;
  onClose: () => void;
  children: ReactNode;
}

/** StartModal is the dialog around the form. */
export function StartModal({ opened, title, onClose, children }: StartModalProps) {
  return (
    <Modal opened={opened} onClose={onClose} title={title} size="lg">
      {children}
    </Modal>
  );
}
