import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { Code, type ConnectRouter } from "@connectrpc/connect";
import { Reason } from "@/gen/signalbox/fault/v1/fault_pb";
import {
  AuditService,
  KeyService,
  MemberService,
  OrganizationService,
} from "@/gen/signalbox/tenancy/v1/organization_pb";
import { ago, grant, mockKeyOf, type People, workspaceIds } from "./people";
import { mockHex, mockId } from "./random";
import { refuse } from "./refuse";
import { orgId, type World } from "./world";

const DAY = 86_400_000;

export function organizationRoutes(router: ConnectRouter, world: World): void {
  router.service(OrganizationService, {
    getOrganization: () => ({ organization: { id: orgId, slug: "northwind", name: "Northwind Labs", plan: "team" } }),
    listWorkspaces: () => ({
      workspaces: Object.entries(workspaceIds).map(([slug, id]) => ({
        id,
        slug,
        name: slug.charAt(0).toUpperCase() + slug.slice(1),
      })),
    }),
    createWorkspace: ({ name, slug }) => ({ workspace: { id: mockId("ws", 9), name, slug } }),
  });
  memberRoutes(router, world.people);
  keyRoutes(router, world.people);
  auditRoutes(router);
}

function memberRoutes(router: ConnectRouter, people: People): void {
  const find = (userId: string) => {
    const member = people.members.find((each) => each.userId === userId);
    if (!member) throw refuse(Reason.NOT_FOUND, Code.NotFound, "not found");
    return member;
  };
  router.service(MemberService, {
    listMembers: () => ({ members: people.members }),
    listInvitations: () => ({ invitations: people.invitations }),
    inviteMember: ({ email, role }) => {
      const invitation = {
        id: mockId("inv", people.invitations.length + 2),
        email,
        role,
        workspaceRole: grant("research", "developer"),
        organizationName: "Northwind Labs",
        expiresAt: timestampFromMs(Date.now() + 7 * DAY),
        invitedBy: "Mara Lindqvist",
      };
      people.invitations = [...people.invitations, invitation];
      return { invitation, link: `${window.location.origin}/invite?token=sbi_8Hq2Lw0ZxC4vB6nM1kJ7tR3yP9sDfGaEuO5` };
    },
    revokeInvitation: ({ id }) => {
      people.invitations = people.invitations.filter((each) => each.id !== id);
      return {};
    },
    setMemberRole: ({ userId, role }) => {
      const member = find(userId);
      if (member.role === "owner")
        throw refuse(
          Reason.LAST_OWNER,
          Code.FailedPrecondition,
          "the last owner stays one; make somebody else owner first",
        );
      member.role = role;
      return { member };
    },
    setWorkspaceRole: ({ userId, role, dataRead }, { requestHeader }) => {
      const member = find(userId);
      const slug = requestHeader.get("Signalbox-Workspace") ?? "";
      const rest = member.workspaceRoles.filter((each) => each.workspaceSlug !== slug);
      Object.assign(member, { workspaceRoles: role ? [...rest, { ...grant(slug, role), dataRead }] : rest });
      return { member };
    },
    removeMember: ({ userId }) => {
      if (find(userId).role === "owner")
        throw refuse(Reason.LAST_OWNER, Code.FailedPrecondition, "the last owner cannot leave");
      people.members = people.members.filter((each) => each.userId !== userId);
      return {};
    },
  });
}

function keyRoutes(router: ConnectRouter, people: People): void {
  router.service(KeyService, {
    listKeys: () => ({ keys: people.keys }),
    createKey: ({ name, role, workspaceId, days }) => {
      const created = {
        ...mockKeyOf(people.keys.length + 1, name, role, "", days || 90, undefined),
        workspaceId,
        createdAt: ago(0),
      };
      people.keys = [created, ...people.keys];
      return { key: created, secret: "sbk_7Tq0ZpW3xYvB9nLkR2mC8dHsJ4aGfE1uXo" };
    },
    revokeKey: ({ id }) => {
      people.keys = people.keys.map((each) => (each.id === id ? { ...each, revokedAt: ago(0) } : each));
      return {};
    },
  });
}

function auditRoutes(router: ConnectRouter): void {
  const acts: [string, string, string, string][] = [
    ["user", "Mara Lindqvist", "pool.create_join_token", "pool gpu-eu"],
    ["user", "Jonas Weber", "pipeline.deploy", "pipeline fraud-train"],
    ["key", "github-actions", "pipeline.apply", "pipeline digits"],
    ["user", "Mara Lindqvist", "member.invite", "wei@northwind.example"],
    ["user", "Priya Raman", "pool.pause", "pool spot"],
    ["agent", "worker-1", "agent.enroll", "agent worker-1"],
    ["user", "Tomás Oliveira", "key.create", "key grafana"],
    ["user", "Mara Lindqvist", "member.set_role", "jonas@northwind.example"],
  ];
  const newest = 214;
  router.service(AuditService, {
    listAuditEntries: ({ before, limit }) => {
      const start = before === 0n ? newest : Number(before) - 1;
      const count = Math.min(limit || 50, start);
      const entries = Array.from({ length: count }, (_, i) => {
        const seq = start - i;
        const [actorType, actorName, action, resource] = acts[(seq * 5) % acts.length] ?? ["", "", "", ""];
        const denied = seq % 17 === 0;
        return {
          seq: BigInt(seq),
          at: ago((newest - seq) * 0.21 + 0.01),
          actorType,
          actorId: mockId("usr", (seq % 4) + 1),
          actorName,
          action,
          resource,
          workspaceId: workspaceIds.research ?? "",
          ip: `192.0.2.${(seq * 7) % 250}`,
          requestId: mockHex(seq, 16),
          outcome: denied ? "denied" : "done",
          detail: action === "member.set_role" ? '{"from":"member","to":"admin"}' : "",
          hash: Uint8Array.from([seq & 255, 17, 99, 250, 3, 8]),
        };
      });
      const last = entries.at(-1)?.seq ?? 0n;
      return { entries, nextBefore: last > 1n ? last : 0n };
    },
    verifyAudit: () => ({
      intact: true,
      entries: BigInt(newest),
      brokenAt: 0n,
      head: Uint8Array.from([0x9a, 0x1c, 0x44, 0xd0, 0x5e, 0x71, 0x20, 0x88]),
    }),
  });
}
