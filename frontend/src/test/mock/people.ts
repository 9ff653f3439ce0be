import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { mockHex, mockId } from "./random";

const DAY = 86_400_000;
export const ago = (days: number) => timestampFromMs(Date.now() - days * DAY);

export const workspaceIds: Record<string, string> = { research: mockId("ws", 1), production: mockId("ws", 2) };

export interface MockGrant {
  workspaceId: string;
  workspaceSlug: string;
  role: string;
  dataRead?: boolean;
}

export const grant = (slug: string, role: string): MockGrant => ({
  workspaceId: workspaceIds[slug] ?? "",
  workspaceSlug: slug,
  role,
});

export const mockKeyOf = (
  n: number,
  name: string,
  role: string,
  ws: string,
  expires: number,
  used: number | undefined,
  revoked?: number,
) => ({
  id: mockId("key", n),
  name,
  prefix: "sbk_",
  last4: mockHex(n, 4),
  workspaceId: workspaceIds[ws] ?? "",
  role,
  createdBy: "Mara Lindqvist",
  createdAt: ago(60),
  expiresAt: ago(-expires),
  lastUsedAt: used === undefined ? undefined : ago(used),
  revokedAt: revoked === undefined ? undefined : ago(revoked),
});

/** People is who belongs to the mock's organization, and with which keys programs enter it. */
export type People = ReturnType<typeof makePeople>;

export function makePeople() {
  const members = [
    {
      userId: mockId("usr", 1),
      name: "Mara Lindqvist",
      email: "mara@northwind.example",
      role: "owner",
      workspaceRoles: [] as MockGrant[],
      joinedAt: ago(210),
    },
    {
      userId: mockId("usr", 2),
      name: "Jonas Weber",
      email: "jonas@northwind.example",
      role: "admin",
      workspaceRoles: [] as MockGrant[],
      joinedAt: ago(201),
    },
    {
      userId: mockId("usr", 3),
      name: "Priya Raman",
      email: "priya@northwind.example",
      role: "member",
      workspaceRoles: [grant("research", "developer"), grant("production", "operator")],
      joinedAt: ago(90),
    },
    {
      userId: mockId("usr", 4),
      name: "Tomás Oliveira",
      email: "tomas@northwind.example",
      role: "member",
      workspaceRoles: [grant("research", "viewer")],
      joinedAt: ago(33),
    },
    {
      userId: mockId("usr", 5),
      name: "Ingrid Solberg",
      email: "finance@northwind.example",
      role: "billing",
      workspaceRoles: [] as MockGrant[],
      joinedAt: ago(12),
    },
  ];
  const invitations = [
    {
      id: mockId("inv", 1),
      email: "wei@northwind.example",
      role: "member",
      workspaceRole: grant("research", "developer"),
      organizationName: "Northwind Labs",
      expiresAt: timestampFromMs(Date.now() + 5 * DAY),
      invitedBy: "Mara Lindqvist",
    },
  ];
  const keys = [
    mockKeyOf(1, "github-actions", "developer", "research", 29, 0.002),
    mockKeyOf(2, "terraform", "admin", "", 11, 3),
    mockKeyOf(3, "grafana", "viewer", "production", 300, undefined),
    mockKeyOf(4, "old-ci", "developer", "research", 5, 9, 8),
  ];
  return { members, invitations, keys };
}
