import { expect, it } from "vitest";
import { approverText, whyDenied } from "./denied";

it("says why somebody may not decide", () => {
  expect(whyDenied("", [])).toBeUndefined();
  expect(whyDenied("FOUR_EYES", [])).toMatch(/another pair of eyes/i);
  expect(whyDenied("NOT_AN_APPROVER", ["role:admin", "user:ann@example.org"])).toBe(
    "It is decided by any admin, ann@example.org.",
  );
  expect(whyDenied("PERMISSION_DENIED", [])).toMatch(/approvals\.decide/);
  expect(approverText("role:admin")).toBe("any admin");
});
