import { create } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import type { PlanParam } from "@/features/pipeline/plan";
import { ValueSchema } from "@/gen/signalbox/run/v1/value_pb";
import { defaultText, draftsOf, needsKey, problemsOf, toValues, unsetOf } from "./draft";

const bytes = (text: string) => new TextEncoder().encode(text);
const param = (init: Partial<PlanParam>): PlanParam => ({
  name: "p",
  type: "int",
  open: false,
  required: false,
  hasSealedDefault: false,
  enum: [],
  description: "",
  ...init,
});
const params = [
  param({ name: "lr", type: "float", open: true, default: 0.1 }),
  param({ name: "seed", required: true }),
  param({ name: "note", type: "string" }),
];
const open = create(ValueSchema, { name: "lr", type: "float", content: { case: "openJson", value: bytes("0.5") } });
const sealed = create(ValueSchema, {
  name: "seed",
  type: "int",
  size: 1,
  content: { case: "sealed", value: bytes("envelope") },
});
const seal = async (name: string, plain: Uint8Array) => bytes(`${name}!${plain.length}`);

describe("the form", () => {
  it("starts empty", () => expect(draftsOf(params, [], undefined).seed).toEqual({ text: "" }));
  it("is filled with what is open or was opened", () =>
    expect(draftsOf(params, [open, sealed], { seed: 7 })).toMatchObject({ lr: { text: "0.5" }, seed: { text: "7" } }));
  it("keeps what nobody here can open", () =>
    expect(draftsOf(params, [sealed], undefined).seed).toEqual({ kept: sealed }));
  it("does not keep a value whose type has changed", () => {
    const now = [param({ name: "seed", type: "string" })];
    expect(draftsOf(now, [sealed], undefined).seed).toEqual({ text: "" });
  });
  it("names what is missing or wrong", () =>
    expect(problemsOf(params, { lr: { text: "x" }, seed: { text: "" }, note: { text: "" } })).toEqual({
      lr: "A number, as in 0.1 or 1e-3.",
      seed: "Needed: it has no default.",
    }));
  it("has nothing against a kept value", () => expect(problemsOf(params, { seed: { kept: sealed } })).toEqual({}));
  it("says what an empty field means", () =>
    expect([...params, param({ hasSealedDefault: true })].map(defaultText)).toEqual([
      "0.1",
      "",
      "none",
      "a sealed default",
    ]));
});

describe("what is sent", () => {
  it("is sealed unless it was declared open", async () => {
    const values = await toValues(params, { lr: { text: "1e-3" }, seed: { text: "42" }, note: { text: "" } }, seal);
    expect(values).toEqual([
      { name: "lr", type: "float", size: 5, content: { case: "openJson", value: bytes("0.001") } },
      { name: "seed", type: "int", size: 2, content: { case: "sealed", value: bytes("seed!2") } },
    ]);
  });
  it("is the default for what nobody typed", () =>
    expect(unsetOf(params, { lr: { text: "1" }, seed: { kept: sealed }, note: { text: "" } })).toEqual(["note"]));
  it("passes on an envelope as it is", async () => {
    const values = await toValues(params, { seed: { kept: sealed } }, seal);
    expect(values).toEqual([{ name: "seed", type: "int", size: 1, content: sealed.content }]);
  });
  it("needs the workspace's key only for new sealed values", () => {
    expect(needsKey(params, { lr: { text: "1" }, seed: { kept: sealed } })).toBe(false);
    expect(needsKey(params, { seed: { text: "1" } })).toBe(true);
  });
});
