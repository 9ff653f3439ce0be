import { ActionIcon, Select } from "@mantine/core";
import { Icon } from "@/components/ui/icon";
import type { PlanParam } from "@/features/pipeline/plan";
import { type Drafts, draftsOf } from "@/features/start/draft";
import { ParamField } from "@/features/start/param-field";
import { useNoDataReason } from "@/features/value/may-read";
import { useOpened, useValues } from "@/features/value/use-values";
import type { Run } from "@/gen/signalbox/run/v1/run_pb";
import classes from "./items.module.css";

interface ChangedParamsProps {
  run: Run;
  params: readonly PlanParam[];
  /** Of those that differ from the run's. */
  drafts: Drafts;
  problems: Record<string, string>;
  onChange: (drafts: Drafts) => void;
}

/** ChangedParams edits the params that are to differ from a run's; the others stay as they are. */
export function ChangedParams({ run, params, drafts, problems, onChange }: ChangedParamsProps) {
  const why = useNoDataReason();
  const values = useValues(run);
  const sealed = values.data?.params.some(({ content }) => content.case === "sealed") ?? false;
  const opened = useOpened(run, sealed && !why);
  const before = draftsOf(params, values.data?.params ?? [], opened.data?.document.params);
  const changed = params.filter(({ name }) => drafts[name] !== undefined);
  const add = (name: string | null) => {
    if (!name) return;
    const draft = before[name];
    onChange({ ...drafts, [name]: draft && "text" in draft ? draft : { text: "" } });
  };
  const remove = (name: string) => onChange(Object.fromEntries(Object.entries(drafts).filter(([key]) => key !== name)));
  return (
    <div className={classes.changes}>
      {changed.map((param) => (
        <div key={param.name} className={classes.change}>
          <div className={classes.field}>
            <ParamField
              param={param}
              draft={drafts[param.name] ?? { text: "" }}
              problem={problems[param.name]}
              onChange={(draft) => onChange({ ...drafts, [param.name]: draft })}
            />
          </div>
          <ActionIcon aria-label={`Leave ${param.name} as it was`} onClick={() => remove(param.name)}>
            <Icon name="x" />
          </ActionIcon>
        </div>
      ))}
      {changed.length < params.length && (
        <Select
          label={changed.length > 0 ? "Change another param" : "Change a param"}
          description="All others stay as the run had them; one that is left empty is its default again. Tasks that read a changed one run again."
          placeholder={changed.length > 0 ? "None" : "None changes"}
          searchable
          data={params.filter(({ name }) => drafts[name] === undefined).map(({ name }) => name)}
          value={null}
          onChange={add}
        />
      )}
    </div>
  );
}
