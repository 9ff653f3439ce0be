import { create } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { ArtifactSchema, ValueSchema } from "@/gen/signalbox/run/v1/value_pb";
import { parseDocument } from "./document";
import { errorText, showArtifact, showValue, textOfJson } from "./shown";

const bytes = (text: string) => new TextEncoder().encode(text);

describe("values", () => {
  const open = create(ValueSchema, {
    name: "auc",
    type: "float",
    size: 4,
    content: { case: "openJson", value: bytes("0.93") },
  });
  const sealed = create(ValueSchema, {
    name: "seed",
    type: "int",
    size: 1,
    content: { case: "sealed", value: bytes("x") },
  });

  it("shows open ones without an agent", () =>
    expect(showValue(open, undefined)).toMatchObject({ state: "open", json: 0.93 }));
  it("keeps sealed ones sealed", () => {
    expect(showValue(sealed, undefined)).toEqual({ name: "seed", type: "int", size: 1, state: "sealed" });
    expect(showValue(sealed, {}).state).toBe("sealed");
  });
  it("shows what an agent opened", () =>
    expect(showValue(sealed, { seed: 7 })).toMatchObject({ state: "opened", json: 7 }));
  it("shows null, which is a value", () =>
    expect(showValue(sealed, { seed: null })).toMatchObject({ state: "opened", json: null }));
  it("never lets an opened document replace an open value", () => expect(showValue(open, { auc: 1 }).json).toBe(0.93));
  it("writes as one types", () =>
    expect([textOfJson("a b"), textOfJson(["a"]), textOfJson(1)]).toEqual(["a b", '["a"]', "1"]));
});

describe("the document", () => {
  const document = parseDocument(
    '{"params":{"seed":7},"tasks":{"train":{"outputs":{"auc":0.9},"artifacts":{"model":"file:///m"},"errors":{"1":"boom"}},"odd":3}}',
  );
  it("is read", () => {
    expect(document.params).toEqual({ seed: 7 });
    expect(errorText(document, "train", 1)).toBe("boom");
    expect(errorText(document, "train", 2)).toBeUndefined();
    expect(errorText(undefined, "train", 1)).toBeUndefined();
  });
  it("may lack anything", () => {
    expect(document.tasks.odd).toEqual({ outputs: {}, artifacts: {}, errors: {} });
    expect(parseDocument("{}")).toEqual({ params: {}, tasks: {} });
  });
  it("opens artifacts", () => {
    const model = create(ArtifactSchema, { name: "model", type: "model", size: 9n });
    expect(showArtifact(model, document.tasks.train?.artifacts).uri).toBe("file:///m");
    expect(showArtifact(model, undefined).uri).toBeUndefined();
  });
});
