/** whyDenied is why the caller may not vote on an approval; undefined when they may. */
export function whyDenied(denied: string, by: readonly string[]): string | undefined {
  switch (denied) {
    case "":
      return undefined;
    case "FOUR_EYES":
      return "You asked for this run. Another pair of eyes must approve of it.";
    case "NOT_AN_APPROVER":
      return `It is decided by ${by.map(approverText).join(", ")}.`;
  }
  return "Your role lacks approvals.decide. Ask an administrator of the workspace.";
}

/** approverText names one of those who may decide: `role:admin`, `user:ann@example.org`. */
export function approverText(who: string): string {
  const [kind, name = ""] = who.split(":", 2);
  if (kind === "role") return `any ${name}`;
  return name;
}
