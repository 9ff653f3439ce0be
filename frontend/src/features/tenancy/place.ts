import type { Transport } from "@connectrpc/connect";
import { getRouteApi, useParams, useRouter } from "@tanstack/react-router";
import { useWho } from "@/features/account/who";
import type { Membership, WhoAmIResponse, WorkspaceAccess } from "@/gen/signalbox/tenancy/v1/account_pb";
import { mayInOrg, mayInWorkspace, type Permission, whyNot } from "./permission";

export function findMembership(who: WhoAmIResponse, org: string): Membership | undefined {
  return who.memberships.find(({ organization }) => organization?.slug === org);
}

export function findWorkspace(membership: Membership, ws: string): WorkspaceAccess | undefined {
  return membership.workspaces.find(({ workspace }) => workspace?.slug === ws);
}

const orgRoute = getRouteApi("/in/o/$org");

/** useMembership is the organization of the URL; its route has checked that there is one. */
export function useMembership(): Membership {
  const { org } = orgRoute.useParams();
  const membership = findMembership(useWho(), org);
  if (!membership) throw new Error(`no membership of ${org}`);
  return membership;
}

/** useWorkspaceAccess is the workspace of the URL; undefined on pages of the organization. */
export function useWorkspaceAccess(): WorkspaceAccess | undefined {
  const { ws } = useParams({ strict: false });
  const membership = useMembership();
  return ws === undefined ? undefined : findWorkspace(membership, ws);
}

/** usePlace is where links of a workspace's pages start. */
export function usePlace(): { org: string; ws: string } {
  const { org = "", ws = "" } = useParams({ strict: false });
  return { org, ws };
}

/** useOrgTransport is for calls about the organization from pages of a workspace. */
export function useOrgTransport(): Transport {
  const { org } = usePlace();
  return useRouter().options.context.transports.at({ org });
}

/** useWhyNot gives the reason why a control is off, or undefined where it is on. */
export function useWhyNot(permission: Permission): string | undefined {
  const membership = useMembership();
  const access = useWorkspaceAccess();
  const allowed = access ? mayInWorkspace(access, permission) : mayInOrg(membership, permission);
  return whyNot(allowed, permission);
}
