import { accountRoute, newOrgRoute } from "./account";
import { approvalsRoute } from "./approvals";
import { homeRoute } from "./home";
import { inRoute } from "./in";
import { inviteRoute } from "./invite";
import { orgHomeRoute, orgRoute, overviewRoute, workspaceRoute } from "./org";
import { auditRoute, keysRoute, membersRoute, usageRoute } from "./organization";
import { pipelineRoute, pipelinesRoute } from "./pipelines";
import { poolRoute, poolsRoute } from "./pools";
import { checkMailRoute, signInRoute, signUpRoute, verifyRoute } from "./public";
import { rootRoute } from "./root";
import { runRoute, runsRoute } from "./runs";
import { schedulesRoute } from "./schedules";

/** The whole site on one screen. */
export const routeTree = rootRoute.addChildren([
  signInRoute,
  signUpRoute,
  checkMailRoute,
  verifyRoute,
  inRoute.addChildren([
    homeRoute,
    newOrgRoute,
    inviteRoute,
    accountRoute,
    orgRoute.addChildren([
      orgHomeRoute,
      usageRoute,
      membersRoute,
      keysRoute,
      auditRoute,
      workspaceRoute.addChildren([
        overviewRoute,
        runsRoute,
        runRoute,
        approvalsRoute,
        pipelinesRoute,
        pipelineRoute,
        schedulesRoute,
        poolsRoute,
        poolRoute,
      ]),
    ]),
  ]),
]);
