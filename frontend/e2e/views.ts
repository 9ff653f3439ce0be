import type { Page } from "playwright-core";

/** View is one page as a reader comes to it. */
export interface View {
  name: string;
  path: string;
  /** What must be there before one looks. */
  ready: (page: Page) => Promise<unknown>;
}

export const table = (name: string) => (page: Page) => page.getByRole("table", { name }).first().waitFor();
export const heading = (name: string) => (page: Page) => page.getByRole("heading", { name }).first().waitFor();

/** publicViews are the pages that want nobody signed in. */
export function publicViews(query = ""): View[] {
  return [
    { name: "sign-in", path: `/sign-in${query}`, ready: heading("Sign in") },
    { name: "sign-up", path: `/sign-up${query}`, ready: heading("Make an account") },
    { name: "check-mail", path: "/check-mail?email=a@b.example", ready: heading("Check your mail") },
    { name: "verify", path: "/verify?token=sbi_1", ready: heading("Confirm your address") },
  ];
}

/** Place is what a world has that its pages show. */
interface Place {
  org: string;
  workspace: string;
  pipeline: string;
  /** The file that the pipeline came from. */
  file: string;
  /** One of the pipeline's params. */
  param: string;
  pool: string;
}

/** viewsOf are the pages of a workspace in which something has run, and of its organization. */
export function viewsOf({ org, workspace, pipeline, file, param, pool }: Place): View[] {
  const ws = `/o/${org}/w/${workspace}`;
  return [
    { name: "runs", path: `${ws}/runs?window=7d`, ready: table("Runs") },
    {
      name: "runs-none",
      path: `${ws}/runs?state=dropped`,
      ready: (page) => page.getByText("No run fits").waitFor(),
    },
    { name: "pipelines", path: `${ws}/pipelines`, ready: table("Pipelines") },
    { name: "pipeline", path: `${ws}/pipelines/${pipeline}`, ready: table("Params") },
    {
      name: "source",
      path: `${ws}/pipelines/${pipeline}?view=source`,
      ready: (page) => page.getByText(file).waitFor(),
    },
    { name: "versions", path: `${ws}/pipelines/${pipeline}?view=versions`, ready: table("Versions") },
    {
      name: "start",
      path: `${ws}/pipelines/${pipeline}?start=new`,
      ready: (page) => page.getByRole("textbox", { name: param }).waitFor(),
    },
    {
      name: "schedules", // a young workspace has none
      path: `${ws}/schedules`,
      ready: (page) =>
        page
          .getByRole("table", { name: "Schedules" })
          .or(page.getByText("Schedules start runs by time"))
          .first()
          .waitFor(),
    },
    { name: "pools", path: `${ws}/pools`, ready: table("Agents") },
    { name: "pool", path: `${ws}/pools/${pool}`, ready: table("Agents") },
    { name: "usage", path: `/o/${org}/usage`, ready: (page) => page.getByText("Total so far").waitFor() },
    { name: "members", path: `/o/${org}/members`, ready: table("Members") },
    {
      name: "keys", // a young organization has none
      path: `/o/${org}/keys`,
      ready: (page) =>
        page
          .getByRole("table", { name: "API keys" })
          .or(page.getByText("Programs sign in with keys"))
          .first()
          .waitFor(),
    },
    { name: "audit", path: `/o/${org}/audit`, ready: table("Audit log") },
    { name: "account", path: "/account", ready: table("Sessions") },
    { name: "not-found", path: "/nowhere", ready: (page) => page.getByText("There is nothing").waitFor() },
  ];
}
