import { create } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { AgentSchema, PoolSchema } from "@/gen/signalbox/pool/v1/pool_pb";
import { agentLook, gpuText, poolLook, slotsOf, whyIdle } from "./state";

const agents = [
  create(AgentSchema, { pool: "cpu", state: "online", slots: 8 }),
  create(AgentSchema, { pool: "cpu", state: "offline", slots: 8 }),
  create(AgentSchema, { pool: "gpu", state: "online", slots: 4 }),
];
const pool = (init: object) => create(PoolSchema, { name: "cpu", agentsOnline: 1, ...init });

describe("slots", () => {
  it("are those of the agents online", () => expect(slotsOf(pool({}), agents)).toBe(8));
  it("are bounded by the pool", () => expect(slotsOf(pool({ slots: 3 }), agents)).toBe(3));
  it("are never more than there are", () => expect(slotsOf(pool({ slots: 99 }), agents)).toBe(8));
});

describe("GPUs", () => {
  const agent = (init: object) => create(AgentSchema, init);
  it("are told with those that are free", () =>
    expect(gpuText(agent({ gpus: 2, gpusUsed: 1, gpuType: "a100" }))).toBe("1 of 2 GPUs free (a100)"));
  it("are never fewer than none", () => expect(gpuText(agent({ gpus: 1, gpusUsed: 2 }))).toBe("0 of 1 GPU free"));
  it("are not spoken of without any", () => expect(gpuText(agent({}))).toBe(""));
});

describe("a pool that does nothing", () => {
  it("is paused before all", () =>
    expect(whyIdle(pool({ paused: true, pauseNote: "prices", agentsOnline: 0 }), agents)).toContain("Paused: prices."));
  it("drains", () =>
    expect(whyIdle(pool({ paused: true, leased: 2 }), agents)).toBe(
      "Paused. Nothing new starts here; 2 tasks still to end.",
    ));
  it("lacks an agent", () => expect(whyIdle(pool({ agentsOnline: 0 }), agents)).toContain("No agent is online"));
  it("is full", () => expect(whyIdle(pool({ leased: 8, ready: 2 }), agents)).toBe("All 8 slots are in use; 2 wait."));
  it("or does its work", () => expect(whyIdle(pool({ leased: 3 }), agents)).toBeUndefined());
});

describe("looks", () => {
  it("of pools", () =>
    expect(
      [pool({}), pool({ paused: true }), pool({ paused: true, leased: 2 }), pool({ agentsOnline: 0 })].map(
        (p) => poolLook(p).label,
      ),
    ).toEqual(["Working", "Paused", "Draining", "No agent online"]));
  it("of agents", () => expect(agentLook({ state: "online", draining: true }).label).toBe("Draining"));
});
