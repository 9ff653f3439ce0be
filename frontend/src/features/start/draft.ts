import type { MessageInitShape } from "@bufbuild/protobuf";
import type { PlanParam } from "@/features/pipeline/plan";
import { parseParam } from "@/features/value/param";
import { showValue, textOfJson } from "@/features/value/shown";
import type { Value, ValueSchema } from "@/gen/signalbox/run/v1/value_pb";

/**
 * Draft is what the form holds for a param: a text that somebody types (empty
 * means the default), or a sealed value of an earlier run that is passed on
 * unopened.
 */
export type Draft = { text: string } | { kept: Value };
export type Drafts = Record<string, Draft>;

/** draftsOf fills the form, from an earlier run's values where there are some. */
export function draftsOf(
  params: readonly PlanParam[],
  values: readonly Value[],
  opened: Record<string, unknown> | undefined,
): Drafts {
  return Object.fromEntries(
    params.map((param): [string, Draft] => {
      const value = values.find(({ name, type }) => name === param.name && type === param.type);
      if (!value) return [param.name, { text: "" }];
      const shown = showValue(value, opened);
      return [param.name, shown.state === "sealed" ? { kept: value } : { text: textOfJson(shown.json) }];
    }),
  );
}

/** problemsOf says per param what cannot be sent as it stands. */
export function problemsOf(params: readonly PlanParam[], drafts: Drafts): Record<string, string> {
  const problems: Record<string, string> = {};
  for (const param of params) {
    const draft = drafts[param.name] ?? { text: "" };
    if ("kept" in draft) continue;
    if (draft.text === "") {
      if (param.required) problems[param.name] = "Needed: it has no default.";
      continue;
    }
    const parsed = parseParam(param, draft.text);
    if ("problem" in parsed) problems[param.name] = parsed.problem;
  }
  return problems;
}

/** Seal makes an envelope of a param's JSON. */
export type Seal = (param: string, plain: Uint8Array) => Promise<Uint8Array<ArrayBuffer>>;

/**
 * toValues makes what is sent: open params as JSON, all others sealed before
 * they leave the browser. Only call it without problems.
 */
export async function toValues(
  params: readonly PlanParam[],
  drafts: Drafts,
  seal: Seal,
): Promise<MessageInitShape<typeof ValueSchema>[]> {
  const values: MessageInitShape<typeof ValueSchema>[] = [];
  for (const param of params) {
    const draft = drafts[param.name] ?? { text: "" };
    const { name, type } = param;
    if ("kept" in draft) {
      values.push({ name, type, size: draft.kept.size, content: draft.kept.content });
      continue;
    }
    if (draft.text === "") continue;
    const parsed = parseParam(param, draft.text);
    if ("problem" in parsed) throw new Error(`${name}: ${parsed.problem}`);
    const json = new TextEncoder().encode(parsed.json);
    const content = param.open
      ? ({ case: "openJson", value: json } as const)
      : ({ case: "sealed", value: await seal(name, json) } as const);
    values.push({ name, type, size: json.length, content });
  }
  return values;
}

/** unsetOf names the params that are to be their defaults: nothing was typed for them. */
export function unsetOf(params: readonly PlanParam[], drafts: Drafts): string[] {
  return params.flatMap(({ name }) => {
    const draft = drafts[name] ?? { text: "" };
    return "text" in draft && draft.text === "" ? [name] : [];
  });
}

/** needsKey asks whether anything has to be sealed before the run can start. */
export function needsKey(params: readonly PlanParam[], drafts: Drafts): boolean {
  return params.some((param) => {
    const draft = drafts[param.name];
    return !param.open && draft !== undefined && "text" in draft && draft.text !== "";
  });
}

/** defaultText is what stands in an empty field: what the param is if nothing is typed. */
export function defaultText(param: PlanParam): string {
  if (param.hasSealedDefault) return "a sealed default";
  if (param.default !== undefined) return textOfJson(param.default);
  return param.required ? "" : "none";
}
