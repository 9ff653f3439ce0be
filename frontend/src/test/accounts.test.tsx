import { screen, waitFor, within } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { RunService } from "@/gen/signalbox/run/v1/run_pb";
import { unauthenticated } from "./mock/refuse";
import { open, workspace } from "./open";

describe("signing in", () => {
  it("is asked for, and leads back to where one wanted to go", async () => {
    const { user, address } = await open(`${workspace}/runs?state=failed`, {
      scenario: "out",
      prepare: (world) => Object.assign(world, { hasOrg: true }),
    });
    await screen.findByRole("heading", { name: "Sign in" });
    await user.type(screen.getByRole("textbox", { name: /E-mail/ }), "mara@northwind.example");
    await user.type(screen.getByLabelText(/^Password/), "a long enough one");
    await user.click(screen.getByRole("button", { name: "Sign in" }));
    await screen.findByRole("heading", { name: "Runs" });
    expect(address()).toBe(`${workspace}/runs?state=failed`);
  });

  it("says why it was refused", async () => {
    const { user } = await open("/sign-in", { scenario: "out" });
    await user.type(await screen.findByRole("textbox", { name: /E-mail/ }), "mara@northwind.example");
    await user.type(screen.getByLabelText(/^Password/), "wrong");
    await user.click(screen.getByRole("button", { name: "Sign in" }));
    expect(await screen.findByRole("alert")).toHaveTextContent("E-mail or password is wrong.");
  });
});

describe("a session that ends", () => {
  it("asks to sign in again, and keeps the way back", async () => {
    const { address } = await open(`${workspace}/runs?state=failed`, {
      services: ({ service }) =>
        service(RunService, {
          listRuns: () => {
            throw unauthenticated();
          },
        }),
    });
    await screen.findByRole("heading", { name: "Sign in" });
    expect(decodeURIComponent(address())).toBe(`/sign-in?next=${workspace}/runs?state=failed`);
  });
});

describe("the way in", () => {
  it("goes from sign-up to the mail", async () => {
    const { user, address } = await open("/sign-up", { scenario: "out" });
    await user.type(await screen.findByRole("textbox", { name: /Name/ }), "Mara");
    await user.type(screen.getByRole("textbox", { name: /e-mail/i }), "mara@northwind.example");
    await user.type(screen.getByLabelText(/^Password/), "short");
    await user.click(screen.getByRole("button", { name: "Make the account" }));
    expect(screen.getByText("At least 8 characters; 5 so far.")).toBeInTheDocument();
    await user.type(screen.getByLabelText(/^Password/), " and longer");
    await user.click(screen.getByRole("button", { name: "Make the account" }));
    await screen.findByRole("heading", { name: "Check your mail" });
    expect(address()).toContain("email=mara");
  });

  it("uses a mail's link only when somebody clicks", async () => {
    const { user, world } = await open("/verify?token=sbi_1", { scenario: "out" });
    const button = await screen.findByRole("button", { name: "Confirm and continue" });
    expect(world.signedIn).toBe(false);
    await user.click(button);
    await screen.findByRole("heading", { name: "Create your organization" });
    expect(world.signedIn).toBe(true);
  });

  it("shows invitations before it offers an organization of one's own", async () => {
    const { user } = await open("/", { scenario: "new" });
    const invitations = await screen.findByRole("region", { name: "Open invitations" });
    await user.click(within(invitations).getByRole("button", { name: "Join" }));
    await screen.findByRole("heading", { name: "Overview" });
  });

  it("proposes a slug, and takes another", async () => {
    const { user, address } = await open("/new", {
      scenario: "new",
      prepare: (world) => Object.assign(world, { invited: false }),
    });
    await user.type(await screen.findByRole("textbox", { name: /Organization/ }), "Müller & Söhne");
    const slug = screen.getByRole("textbox", { name: /Name in URLs/ });
    expect(slug).toHaveValue("muller-sohne");
    await user.clear(slug);
    await user.type(slug, "Taken!");
    expect(screen.getByText(/Lower-case letters/)).toBeInTheDocument();
    await user.clear(slug);
    await user.type(slug, "taken");
    await user.click(screen.getByRole("button", { name: "Create the organization" }));
    expect(await screen.findByRole("alert")).toHaveTextContent("The name taken is taken.");
    await user.clear(slug);
    await user.type(slug, "mueller");
    await user.click(screen.getByRole("button", { name: "Create the organization" }));
    await screen.findByRole("heading", { name: "Overview" });
    expect(address()).toBe("/o/mueller/w/research");
  });
});

describe("a foreign organization", () => {
  it("looks like one that does not exist", async () => {
    await open("/o/somebody-else/w/main");
    await waitFor(() => expect(screen.getByText("There is nothing at this address")).toBeInTheDocument());
  });
});
