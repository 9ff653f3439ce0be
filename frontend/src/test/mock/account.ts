import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { Code, type ConnectRouter } from "@connectrpc/connect";
import { Reason } from "@/gen/signalbox/fault/v1/fault_pb";
import { AccountService } from "@/gen/signalbox/tenancy/v1/account_pb";
import { workspaceIds } from "./people";
import { mockId } from "./random";
import { refuse, unauthenticated } from "./refuse";
import { mockKey } from "./workspace-key";
import { orgId, type World } from "./world";

const permissions = [
  "members.admin billing.read billing.write audit.read ws.admin pools.admin pipelines.write schedules.write",
  "runs.write approvals.decide runs.read data.read secrets.write keys.admin",
]
  .join(" ")
  .split(" ");

const me = { id: mockId("usr", 1), email: "mara@northwind.example", name: "Mara Lindqvist", emailVerified: true };

export function accountRoutes(router: ConnectRouter, world: World): void {
  const organization = { id: orgId, slug: "northwind", name: "Northwind Labs", plan: "team", state: "active" };
  const workspace = (slug: string, name: string) => ({
    role: "admin",
    permissions,
    workspace: { id: workspaceIds[slug] ?? "", slug, name, organizationId: orgId, sealingKey: mockKey() },
  });
  const memberships = () =>
    world.hasOrg
      ? [
          {
            organization,
            role: "owner",
            workspaces: [workspace("research", "Research"), workspace("production", "Production")],
          },
        ]
      : [];
  const invitations = () =>
    world.invited
      ? [
          {
            id: mockId("inv", 1),
            email: me.email,
            role: "member",
            organizationName: "Northwind Labs",
            invitedBy: "Jonas Weber",
            expiresAt: timestampFromMs(world.startedAt + 6 * 86_400_000),
          },
        ]
      : [];
  router.service(AccountService, {
    signUp: () => ({}),
    verifyEmail: ({ token }) => {
      if (token === "used")
        throw refuse(Reason.TOKEN_USED, Code.FailedPrecondition, "the link was used before; sign in");
      world.signedIn = true;
      return { user: me };
    },
    signIn: ({ password }) => {
      if (password === "wrong") {
        throw refuse(Reason.BAD_CREDENTIALS, Code.Unauthenticated, "e-mail or password is wrong");
      }
      world.signedIn = true;
      return { user: me };
    },
    signOut: () => {
      world.signedIn = false;
      return {};
    },
    whoAmI: () => {
      if (!world.signedIn) throw unauthenticated();
      return { user: me, memberships: memberships(), invitations: invitations() };
    },
    createPersonalToken: () => ({
      token: "sbu_4kPz0QvVwXy2LmN7RtYcB1dGhJ5sAeF3uKq",
      expiresAt: timestampFromMs(Date.now() + 90 * 86_400_000),
    }),
    listSessions: () => ({
      sessions: [
        session(
          1,
          "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/156.0.0.0 Safari/537.36",
          "192.0.2.14",
          0.1,
          true,
        ),
        session(
          2,
          "Mozilla/5.0 (iPhone; CPU iPhone OS 20_1 like Mac OS X) AppleWebKit/605.1 Version/20.1 Safari/605.1",
          "198.51.100.7",
          5,
          false,
        ),
        session(
          3,
          "Mozilla/5.0 (Macintosh; Intel Mac OS X 15_5; rv:150.0) Gecko/20100101 Firefox/150.0",
          "203.0.113.90",
          60,
          false,
        ),
      ],
    }),
    revokeSession: () => ({}),
    acceptInvitation: () => {
      world.hasOrg = true;
      world.invited = false;
      return { organization };
    },
    createOrganization: ({ name, slug }) => {
      if (slug === "taken") throw refuse(Reason.ALREADY_EXISTS, Code.AlreadyExists, `the name ${slug} is taken`);
      world.hasOrg = true;
      organization.name = name;
      organization.slug = slug;
      return { organization, workspace: { slug: "research", name: "Research" } };
    },
  });
}

function session(n: number, userAgent: string, ip: string, hours: number, current: boolean) {
  const seen = Date.now() - hours * 3_600_000;
  return {
    id: mockId("ses", n),
    userAgent,
    ip,
    current,
    seenAt: timestampFromMs(seen),
    createdAt: timestampFromMs(seen - 40_000_000),
  };
}
