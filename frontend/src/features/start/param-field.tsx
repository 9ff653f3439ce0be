import { Button, Select, Textarea, TextInput, Tooltip } from "@mantine/core";
import { Icon } from "@/components/ui/icon";
import type { PlanParam } from "@/features/pipeline/plan";
import { type Draft, defaultText } from "./draft";
import classes from "./start.module.css";

interface ParamFieldProps {
  param: PlanParam;
  draft: Draft;
  problem: string | undefined;
  onChange: (draft: Draft) => void;
}

/** ParamField edits one param by its declared type, and says who may read it. */
export function ParamField({ param, draft, problem, onChange }: ParamFieldProps) {
  const label = <ParamLabel param={param} />;
  const description = [param.description, bounds(param)].filter(Boolean).join(" ");
  if ("kept" in draft) {
    return (
      <div>
        <div className={classes.label}>{label}</div>
        <div className={classes.kept}>
          <Icon name="lock" size={14} />
          <span>As in that run. No agent is online to open it; it is passed on sealed.</span>
          <Button size="compact-xs" variant="default" ml="auto" onClick={() => onChange({ text: "" })}>
            Replace
          </Button>
        </div>
      </div>
    );
  }
  const common = {
    label,
    description,
    error: problem,
    required: param.required,
    withAsterisk: param.required,
    "aria-label": param.name,
  };
  const choices = param.type === "bool" ? ["true", "false"] : param.enum;
  if (choices.length > 0) {
    return (
      <Select
        {...common}
        data={choices}
        value={draft.text === "" ? null : draft.text}
        placeholder={defaultText(param)}
        clearable
        onChange={(text) => onChange({ text: text ?? "" })}
      />
    );
  }
  const text = {
    value: draft.text,
    placeholder: defaultText(param),
    onChange: (event: { currentTarget: { value: string } }) => onChange({ text: event.currentTarget.value }),
  };
  if (param.type === "json" || param.type.startsWith("list<")) {
    return <Textarea {...common} {...text} autosize minRows={1} maxRows={8} classNames={{ input: "sb-mono" }} />;
  }
  const numeric = param.type === "int" ? "numeric" : param.type === "float" ? "decimal" : "text";
  return <TextInput {...common} {...text} inputMode={numeric} autoComplete="off" />;
}

function ParamLabel({ param }: { param: PlanParam }) {
  const text = param.open
    ? "Declared open: the server may see it"
    : "Sealed in this browser, to the key of your agents";
  return (
    <span className={classes.param}>
      <span className="sb-mono">{param.name}</span>
      <span className={classes.type}>{param.type}</span>
      <Tooltip label={text}>
        <span className={classes.secrecy}>
          <Icon name={param.open ? "eye" : "lock"} size={13} label={text} />
        </span>
      </Tooltip>
    </span>
  );
}

function bounds({ min, max }: PlanParam): string {
  if (min !== undefined && max !== undefined) return `From ${String(min)} to ${String(max)}.`;
  if (min !== undefined) return `At least ${String(min)}.`;
  return max === undefined ? "" : `At most ${String(max)}.`;
}
