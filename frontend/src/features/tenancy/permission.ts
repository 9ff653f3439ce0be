import type { Membership, WorkspaceAccess } from "@/gen/signalbox/tenancy/v1/account_pb";

export type Permission =
  | "org.read"
  | "org.admin"
  | "members.admin"
  | "billing.read"
  | "audit.read"
  | "ws.admin"
  | "pools.admin"
  | "pipelines.write"
  | "runs.write"
  | "approvals.decide"
  | "runs.read"
  | "data.read"
  | "keys.admin";

// What the roles of an organization allow in the organization itself. WhoAmI
// lists only what workspaces allow.
const byRole: Record<string, readonly Permission[]> = {
  owner: ["org.read", "org.admin", "members.admin", "billing.read", "audit.read", "ws.admin", "keys.admin"],
  admin: ["org.read", "org.admin", "members.admin", "billing.read", "audit.read", "ws.admin", "keys.admin"],
  billing: ["org.read", "billing.read", "audit.read"],
  member: ["org.read"],
};

/** mayInOrg asks what the organization's role allows. Only hints: the server decides. */
export function mayInOrg(membership: Membership, permission: Permission): boolean {
  return byRole[membership.role]?.includes(permission) ?? false;
}

/** mayInWorkspace asks what the server said the workspace allows. */
export function mayInWorkspace(access: WorkspaceAccess | undefined, permission: Permission): boolean {
  return access?.permissions.includes(permission) ?? false;
}

/** whyNot is the sentence beside a control that is off for want of a permission. */
export function whyNot(allowed: boolean, permission: Permission): string | undefined {
  return allowed ? undefined : `Your role lacks ${permission}. Ask an administrator of the workspace.`;
}

export const orgRoles = ["member", "billing", "admin", "owner"] as const;
export const workspaceRoles = ["viewer", "operator", "developer", "admin"] as const;

/** roleNote says in a few words what a role is for. */
export const roleNotes: Record<string, string> = {
  owner: "everything, and the last word on who owns",
  admin: "everything but ownership",
  billing: "usage, invoices and the audit log",
  member: "what the workspaces grant",
  developer: "pipelines, runs and their data",
  operator: "runs and their data",
  viewer: "see runs, not their data",
};
