import { useQuery } from "@connectrpc/connect-query";
import { Button, Checkbox, Group, Modal, Radio, Select, Stack } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { FaultNotice } from "@/components/ui/fault-notice";
import { Icon } from "@/components/ui/icon";
import { ButtonLink } from "@/components/ui/link";
import { Loaded, Rows } from "@/components/ui/loaded";
import { StateMark } from "@/components/ui/state-mark";
import { parsePlan } from "@/features/pipeline/plan";
import { type Drafts, needsKey, problemsOf } from "@/features/start/draft";
import { LacksKey } from "@/features/start/lacks-key";
import { usePlace } from "@/features/tenancy/place";
import { PipelineService } from "@/gen/signalbox/pipeline/v1/pipeline_pb";
import type { KeptTask, Run } from "@/gen/signalbox/run/v1/run_pb";
import { ChangedParams } from "./changed-params";
import classes from "./items.module.css";
import { taskLook } from "./state";
import { type ResumeInput, useResume } from "./use-resume";

interface ResumeRunProps {
  run: Run;
  opened: boolean;
  onClose: () => void;
}

/** ResumeRun starts a new run that takes over what need not run again, and shows before what that is. */
export function ResumeRun({ run, opened, onClose }: ResumeRunProps) {
  return (
    <Modal opened={opened} onClose={onClose} title={`Resume ${run.pipeline} #${run.number} in a new run`} size="lg">
      {opened && <ResumeForm run={run} onClose={onClose} />}
    </Modal>
  );
}

type Scope = "failed" | "task" | "all";

function ResumeForm({ run, onClose }: { run: Run; onClose: () => void }) {
  const [scope, setScope] = useState<Scope>("failed");
  const [task, setTask] = useState<string | null>(null);
  const [same, setSame] = useState(false);
  const [trust, setTrust] = useState(false);
  const [drafts, setDrafts] = useState<Drafts>({});
  const place = usePlace();
  const navigate = useNavigate();
  const version = useQuery(PipelineService.method.getVersion, {
    pipeline: run.pipeline,
    digest: same ? run.version : "",
  });
  const plan = version.data && parsePlan(version.data.plan);
  const changed = (plan?.params ?? []).filter(({ name }) => drafts[name] !== undefined);
  const problems = problemsOf(changed, drafts);
  const input: ResumeInput = {
    run,
    version: version.data?.version?.digest ?? "",
    fromTask: scope === "task" ? (task ?? "") : "",
    trust,
    changed,
    drafts,
    ready: plan !== undefined && Object.keys(problems).length === 0,
  };
  const { preview, restart, sealingKey, keyKnown } = useResume(input, (runId) => {
    onClose();
    void navigate({ to: "/o/$org/w/$ws/runs/$runId", params: { ...place, runId } });
  });
  const lacksKey = keyKnown && !sealingKey && needsKey(changed, drafts);
  const tasks = plan?.tasks.filter(({ exit }) => exit === "").map(({ name }) => name) ?? [];
  return (
    <Stack gap="md">
      <Radio.Group label="Run again" value={scope} onChange={(value) => setScope(value as Scope)}>
        <Stack gap={6} mt={6}>
          <Radio value="failed" label="What failed, or has changed, and all behind it" />
          <Radio value="task" label="From one task on" />
          <Radio value="all" label="Everything" />
        </Stack>
      </Radio.Group>
      {scope === "task" && (
        <Select
          label="From the task"
          placeholder="Choose a task"
          searchable
          data={tasks}
          value={task}
          onChange={setTask}
        />
      )}
      {scope !== "all" && (
        <>
          <Radio.Group label="Version" value={same ? "same" : "newest"} onChange={(value) => setSame(value === "same")}>
            <Group gap="lg" mt={6}>
              <Radio value="newest" label="The one deployed now" />
              <Radio value="same" label="The run's own" />
            </Group>
          </Radio.Group>
          {plan && plan.params.length > 0 && (
            <ChangedParams run={run} params={plan.params} drafts={drafts} problems={problems} onChange={setDrafts} />
          )}
          <Checkbox
            checked={trust}
            onChange={(event) => setTrust(event.currentTarget.checked)}
            label="Take over tasks although their spec has changed"
          />
          {lacksKey && <LacksKey />}
          {version.error ? (
            <FaultNotice error={version.error} />
          ) : (
            <Loaded query={preview} loading={<Rows count={4} />}>
              {(kept) => <Preview tasks={kept} />}
            </Loaded>
          )}
        </>
      )}
      {restart.error && <FaultNotice error={restart.error} />}
      <Group justify="flex-end" gap="xs">
        <Button variant="default" onClick={onClose}>
          Leave it
        </Button>
        {scope === "all" ? (
          <ButtonLink
            to="/o/$org/w/$ws/pipelines/$name"
            params={{ ...place, name: run.pipeline }}
            search={{ start: run.id }}
            leftSection={<Icon name="run" size={15} />}
          >
            Choose the params…
          </ButtonLink>
        ) : (
          <Button
            loading={restart.isPending}
            disabled={!preview.data || !input.ready || (scope === "task" && !task)}
            leftSection={<Icon name="run" size={15} />}
            onClick={() => restart.mutate()}
          >
            Start the new run
          </Button>
        )}
      </Group>
    </Stack>
  );
}

/** Preview lists what is taken over and what runs, and why. */
function Preview({ tasks }: { tasks: readonly KeptTask[] }) {
  const reused = tasks.filter((task) => task.reused).length;
  return (
    <div>
      <strong className="sb-num">
        {reused} taken over, {tasks.length - reused} to run
      </strong>
      <ul className={classes.plan} aria-label="What would run">
        {tasks.map(({ task, reused: kept, items, reason }) => (
          <li key={task}>
            <StateMark look={kept ? taskLook("reused") : { label: "Runs", tone: "wait", icon: "run" }} size="sm" />
            <span className={classes.name}>{task}</span>
            <span className={classes.why}>
              {[items > 0 ? `${items} items may be taken over` : "", reason].filter(Boolean).join("; ")}
            </span>
          </li>
        ))}
      </ul>
    </div>
  );
}
