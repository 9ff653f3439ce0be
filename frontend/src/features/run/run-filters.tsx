import { useQuery } from "@connectrpc/connect-query";
import { ActionIcon, Select, TagsInput, Tooltip } from "@mantine/core";
import { useClipboard } from "@mantine/hooks";
import { notifications } from "@mantine/notifications";
import type { CSSProperties } from "react";
import { Icon } from "@/components/ui/icon";
import { toneColor, toneFill } from "@/components/ui/tone";
import { splitLabel } from "@/format/labels";
import { PipelineService } from "@/gen/signalbox/pipeline/v1/pipeline_pb";
import { defaultWindow, type RunFilter, toCommand, windowNames, windows } from "./filter";
import classes from "./run.module.css";
import { runLook, runStates } from "./state";

interface RunFiltersProps {
  filter: RunFilter;
  onChange: (filter: RunFilter) => void;
}

/** RunFilters edits what stands in the URL. */
export function RunFilters({ filter, onChange }: RunFiltersProps) {
  const { data } = useQuery(PipelineService.method.listPipelines, {}, { staleTime: 60_000 });
  const { copy } = useClipboard();
  const names = (data?.pipelines ?? []).map(({ name }) => name);
  return (
    <search aria-label="Filter runs">
      <div className={classes.filters}>
        <Select
          aria-label="Pipeline"
          placeholder="Every pipeline"
          data={filter.pipeline && !names.includes(filter.pipeline) ? [filter.pipeline, ...names] : names}
          value={filter.pipeline ?? null}
          onChange={(pipeline) => onChange({ ...filter, pipeline: pipeline ?? undefined })}
          clearable
          searchable
          w={210}
        />
        <Select
          aria-label="Window"
          data={windows.map((value) => ({ value, label: windowNames[value] }))}
          value={filter.window ?? defaultWindow}
          onChange={(window) => onChange({ ...filter, window: windows.find((each) => each === window) })}
          w={160}
        />
        <TagsInput
          aria-label="Labels"
          placeholder={filter.label ? "" : "label=value"}
          value={filter.label ?? []}
          onChange={(label) => {
            const valid = label.filter((each) => splitLabel(each) !== undefined);
            onChange({ ...filter, label: valid.length > 0 ? valid : undefined });
          }}
          miw={200}
          maw={420}
        />
        <Tooltip label="Copy this list as a command">
          <ActionIcon
            variant="default"
            size={34}
            aria-label="Copy this list as a command"
            onClick={() => {
              copy(toCommand(filter));
              notifications.show({ message: `Copied: ${toCommand(filter)}` });
            }}
          >
            <Icon name="terminal" />
          </ActionIcon>
        </Tooltip>
      </div>
      <StateChips states={filter.state ?? []} onChange={(state) => onChange({ ...filter, state })} />
    </search>
  );
}

function StateChips({ states, onChange }: { states: string[]; onChange: (states: string[] | undefined) => void }) {
  const toggle = (state: string) => {
    const next = states.includes(state) ? states.filter((each) => each !== state) : [...states, state];
    onChange(next.length > 0 ? next : undefined);
  };
  return (
    <fieldset className={classes.chips}>
      <legend className="sb-hidden">States</legend>
      {runStates.map((state) => {
        const look = runLook(state);
        const style = { "--tone": toneColor(look.tone), "--fill": toneFill(look.tone) } as CSSProperties;
        return (
          <button
            key={state}
            type="button"
            className={classes.chip}
            style={style}
            aria-pressed={states.includes(state)}
            onClick={() => toggle(state)}
          >
            <Icon name={look.icon} size={13} />
            {look.label}
          </button>
        );
      })}
    </fieldset>
  );
}
