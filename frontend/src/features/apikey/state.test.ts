import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { expect, it } from "vitest";
import { isLive, keyLook } from "./state";

const now = Date.UTC(2026, 10, 20);
const days = (n: number) => timestampFromMs(now + n * 86_400_000);

it.each([
  [{ expiresAt: days(60), revokedAt: undefined }, "Active"],
  [{ expiresAt: days(13), revokedAt: undefined }, "Expires soon"],
  [{ expiresAt: days(0), revokedAt: undefined }, "Expired"],
  [{ expiresAt: days(60), revokedAt: days(-1) }, "Revoked"],
  [{ expiresAt: undefined, revokedAt: undefined }, "Active"],
])("key %#", (key, label) => {
  expect(keyLook(key, now).label).toBe(label);
  expect(isLive(key, now)).toBe(label === "Active" || label === "Expires soon");
});
