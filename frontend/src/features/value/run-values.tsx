import { Empty } from "@/components/ui/empty";
import { Loaded, Rows } from "@/components/ui/loaded";
import { Notice } from "@/components/ui/notice";
import type { Run, TaskValues } from "@/gen/signalbox/run/v1/run_pb";
import type { Value } from "@/gen/signalbox/run/v1/value_pb";
import type { Document } from "./document";
import { useNoDataReason } from "./may-read";
import { OpenedNotice } from "./opened-notice";
import { showArtifact, showMessage, showValue } from "./shown";
import { useOpened, useValues } from "./use-values";
import classes from "./value.module.css";
import { ArtifactTable, ValueTable } from "./value-table";

interface RunValuesProps {
  run: Run;
  /** Only this task's outputs; without it the params and all tasks. */
  task?: string;
}

/** RunValues shows what went into a run and what came out, opened in this browser. */
export function RunValues({ run, task }: RunValuesProps) {
  const why = useNoDataReason();
  const values = useValues(run, task);
  const params = values.data && !task ? values.data.params : [];
  const tasks = inOrder((values.data?.tasks ?? []).filter((each) => !task || each.task === task));
  const needed = hasSealed(params, tasks);
  const opened = useOpened(run, needed && why === undefined);
  if (why) {
    return (
      <div className={classes.notices}>
        <Notice tone="neutral" icon="lock">
          {why}
        </Notice>
      </div>
    );
  }
  const document = opened.data?.document;
  return (
    <Loaded query={values} loading={<Rows count={4} />}>
      {() => (
        <>
          <div className={classes.notices}>
            <OpenedNotice query={opened} needed={needed} />
          </div>
          {!task && params.length > 0 && (
            <>
              <h3 className={classes.task}>Params</h3>
              <ValueTable label="Params" values={params.map((value) => showValue(value, document?.params))} />
            </>
          )}
          {tasks.map((each) => (
            <TaskOutputs
              key={each.task}
              values={each}
              document={document}
              title={task ? (each.message ? "What it asks" : "Outputs") : each.task}
            />
          ))}
          {tasks.every(isBare) && params.length === 0 && (
            <Empty icon="values" title="Small results of tasks appear here">
              {task
                ? "This task has put nothing out so far."
                : "The run has no params, and no task has put anything out so far."}
            </Empty>
          )}
        </>
      )}
    </Loaded>
  );
}

interface TaskOutputsProps {
  values: TaskValues;
  document: Document | undefined;
  title: string;
}

function TaskOutputs({ values, document, title }: TaskOutputsProps) {
  if (isBare(values)) return null;
  const opened = document?.tasks[values.task];
  return (
    <>
      <h3 className={classes.task}>{title}</h3>
      {values.message && (
        <ValueTable label={`What ${values.task} asks`} values={[showMessage(values.message, document, values.task)]} />
      )}
      {values.outputs.length > 0 && (
        <ValueTable
          label={`Outputs of ${values.task}`}
          values={values.outputs.map((value) => showValue(value, opened?.outputs))}
        />
      )}
      {values.artifacts.length > 0 && (
        <ArtifactTable
          label={`Artifacts of ${values.task}`}
          artifacts={values.artifacts.map((artifact) => showArtifact(artifact, opened?.artifacts))}
        />
      )}
    </>
  );
}

/** inOrder puts items where their first one came, by their numbers: they come as they ended. */
function inOrder(tasks: readonly TaskValues[]): TaskValues[] {
  const first = new Map<string, number>();
  const of = ({ task }: TaskValues) => task.replaceAll(/\[[0-9,]*\]/g, "");
  for (const [i, each] of tasks.entries()) if (!first.has(of(each))) first.set(of(each), i);
  const rank = (each: TaskValues) => first.get(of(each)) ?? 0;
  return tasks.toSorted((a, b) => rank(a) - rank(b) || a.task.localeCompare(b.task, "en", { numeric: true }));
}

function isBare({ outputs, artifacts, message }: TaskValues): boolean {
  return !message && outputs.length === 0 && artifacts.length === 0;
}

function hasSealed(params: readonly Value[], tasks: readonly TaskValues[]): boolean {
  const sealed = ({ content }: Value) => content.case === "sealed";
  return (
    params.some(sealed) ||
    tasks.some(
      ({ outputs, artifacts, message }) =>
        outputs.some(sealed) || artifacts.length > 0 || (message !== undefined && sealed(message)),
    )
  );
}
