import type { PlanParam } from "@/features/pipeline/plan";

/** The output in which a task has what came with its signal. */
export const payload = "payload";

/** payloadParam is what a signal carries, as a param to fill in; none where it carries nothing. */
export function payloadParam(type: string): PlanParam[] {
  if (type === "") return [];
  return [{ name: payload, type, open: false, required: true, hasSealedDefault: false, enum: [], description: "" }];
}
