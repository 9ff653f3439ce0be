/**
 * Document is what an agent sends for DATA_KIND_VALUES: one JSON document that
 * mirrors GetRunValuesResponse with everything in the clear.
 *
 *	{"params": {"lr": 0.1},
 *	 "tasks": {"train": {"outputs": {"auc": 0.93}, "artifacts": {"model": "file:///…"},
 *	                     "errors": {"1": "the text of attempt 1's error"}},
 *	           "sign-off": {"message": "Promote 0.93?"}}}
 */
export interface Document {
  params: Record<string, unknown>;
  tasks: Record<string, TaskDocument>;
}

export interface TaskDocument {
  outputs: Record<string, unknown>;
  /** The URI of each artifact. */
  artifacts: Record<string, unknown>;
  /** The error text of each attempt that has one, by its number. */
  errors: Record<string, unknown>;
  /** What an approval asks those who vote. */
  message?: unknown;
}

/** parseDocument reads what was opened; parts that are missing are empty. */
export function parseDocument(json: string): Document {
  const root = object(JSON.parse(json));
  const tasks = Object.entries(object(root.tasks)).map(([name, task]): [string, TaskDocument] => {
    const { outputs, artifacts, errors, message } = object(task);
    return [name, { outputs: object(outputs), artifacts: object(artifacts), errors: object(errors), message }];
  });
  return { params: object(root.params), tasks: Object.fromEntries(tasks) };
}

function object(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}
