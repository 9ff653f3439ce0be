import type { Membership, WhoAmIResponse } from "@/gen/signalbox/tenancy/v1/account_pb";
import { findMembership, findWorkspace } from "./place";

const key = "signalbox-last-place";

interface Last {
  org: string;
  ws: string;
}

/** rememberPlace keeps where the reader was, for his next visit in this browser. */
export function rememberPlace(place: Last): void {
  try {
    localStorage.setItem(key, JSON.stringify(place));
  } catch {
    // Storage is forbidden: he will land in the first workspace.
  }
}

function lastPlace(): Partial<Last> {
  try {
    const last: unknown = JSON.parse(localStorage.getItem(key) ?? "{}");
    return typeof last === "object" && last !== null ? last : {};
  } catch {
    return {};
  }
}

/** homeOrg picks the organization to open: the last one, else the first. */
export function homeOrg(who: WhoAmIResponse): Membership | undefined {
  return findMembership(who, lastPlace().org ?? "") ?? who.memberships[0];
}

/** homeWorkspace picks a workspace of an organization, by slug. */
export function homeWorkspace(membership: Membership): string | undefined {
  const last = lastPlace();
  const known = last.org === membership.organization?.slug ? findWorkspace(membership, last.ws ?? "") : undefined;
  return (known ?? membership.workspaces[0])?.workspace?.slug;
}
