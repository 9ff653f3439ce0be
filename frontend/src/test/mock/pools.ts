import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { Code, type ConnectRouter } from "@connectrpc/connect";
import { Reason } from "@/gen/signalbox/fault/v1/fault_pb";
import { PoolService } from "@/gen/signalbox/pool/v1/pool_pb";
import { fold } from "./fold";
import { digits } from "./plans";
import { mockId } from "./random";
import { notFound, pause, refuse } from "./refuse";
import { mockKey } from "./workspace-key";
import { scriptOf, type World } from "./world";

const GIB = 2 ** 30;

export function poolRoutes(router: ConnectRouter, world: World): void {
  const slots = new Map<string, number>([
    ["cpu", 0],
    ["gpu-eu", 4],
    ["spot", 0],
    ["default", 0],
  ]);
  const names = () => (world.scenario === "full" ? ["cpu", "gpu-eu", "spot"] : ["default"]);
  const agents = (pool: string) => agentsOf(world).filter((agent) => !pool || agent.pool === pool);
  const show = (name: string) => {
    const live = world.runs
      .filter((script) => script.createdAt > Date.now() - 3_600_000)
      .flatMap((script) => fold(script, Date.now()).tasks);
    return {
      id: mockId("pool", name.length),
      name,
      slots: slots.get(name) ?? 0,
      paused: world.paused.has(name),
      pauseNote: world.paused.get(name) ?? "",
      createdAt: timestampFromMs(world.startedAt - 90 * 86_400_000),
      ready: live.filter((task) => task.pool === name && task.state === "ready").length,
      leased: Math.min(
        name === "gpu-eu" ? 4 : 16,
        live.filter((task) => task.pool === name && task.state === "running").length,
      ),
      agentsOnline: agents(name).filter(({ state }) => state === "online").length,
    };
  };
  router.service(PoolService, {
    listPools: async () => {
      await pause(70);
      return { pools: names().map(show) };
    },
    getPool: ({ name }) => {
      if (!names().includes(name)) throw notFound();
      return { pool: show(name), agents: agents(name), sealingKey: agentsOf(world).length > 0 ? mockKey() : undefined };
    },
    createPool: ({ name }) => {
      if (names().includes(name))
        throw refuse(Reason.ALREADY_EXISTS, Code.AlreadyExists, `there is a pool ${name} already`);
      return { pool: { id: mockId("pool", 9), name } };
    },
    updatePool: ({ name, slots: many, paused, pauseNote }) => {
      if (many !== undefined) slots.set(name, many);
      if (paused === true) world.paused.set(name, pauseNote ?? "");
      if (paused === false) world.paused.delete(name);
      return { pool: show(name) };
    },
    createJoinToken: ({ hours }) => {
      const token = "sbj_3vK9xQ0mZtW7yLpR5nB2cHs8dJ1fGaE4uXo6";
      // As on a real machine: somebody runs the command, and the agent is there.
      if (world.scenario === "fresh" && world.agentAt === undefined) {
        world.agentAt = Date.now() + 6000;
        simulateFirstSteps(world);
      }
      return {
        token,
        expiresAt: timestampFromMs(Date.now() + (hours || 24) * 3_600_000),
        command: `signalbox-agent start --server ${window.location.origin} --token ${token}`,
      };
    },
    listAgents: ({ pool }) => ({ agents: agents(pool) }),
    revokeAgent: ({ id }) => {
      world.revokedAgents.add(id);
      return {};
    },
    getSealingKey: () => ({ sealingKey: agentsOf(world).length > 0 ? mockKey() : undefined }),
  });
}

function simulateFirstSteps(world: World): void {
  setTimeout(() => world.pipelines.push({ pipeline: digits, deployed: 0 }), 14_000);
  setTimeout(() => world.runs.unshift(scriptOf(digits, 1, Date.now(), "good")), 20_000);
}

function agentsOf(world: World) {
  if (world.agentAt === undefined || world.agentAt > Date.now()) return [];
  if (world.scenario !== "full") return [agent(world, 1, "laptop", "default", { slots: 8 })];
  return [
    agent(world, 1, "worker-1", "cpu", { slots: 8, leases: 2, labels: { zone: "eu-west-1a" } }),
    agent(world, 2, "worker-2", "cpu", { slots: 8, leases: 1, labels: { zone: "eu-west-1b" }, draining: true }),
    agent(world, 3, "gpu-node-a", "gpu-eu", {
      slots: 4,
      leases: 4,
      gpus: 4,
      gpusUsed: 4,
      gpuType: "a100",
      labels: { gpu: "a100", zone: "eu-west-1a" },
    }),
    agent(world, 4, "gpu-node-b", "gpu-eu", {
      slots: 4,
      gpus: 4,
      gpuType: "a100",
      labels: { gpu: "a100", zone: "eu-west-1b" },
      holdsSealingKey: false,
    }),
    agent(world, 5, "gpu-node-old", "gpu-eu", { slots: 2, gpus: 2, state: "offline", version: "0.3.1" }),
  ];
}

interface AgentMore {
  slots: number;
  leases?: number;
  gpus?: number;
  gpusUsed?: number;
  gpuType?: string;
  state?: string;
  version?: string;
  labels?: Record<string, string>;
  holdsSealingKey?: boolean;
  draining?: boolean;
}

function agent(world: World, n: number, name: string, pool: string, more: AgentMore) {
  const id = mockId("agt", n);
  const state = world.revokedAgents.has(id) ? "revoked" : (more.state ?? "online");
  const seen = state === "online" ? Date.now() - 2000 : world.startedAt - 3 * 3_600_000;
  return {
    id,
    name,
    pool,
    version: "0.4.0",
    cpuMillis: 16_000n,
    memoryBytes: BigInt(64 * GIB),
    gpus: 0,
    gpusUsed: 0,
    gpuType: "",
    leases: 0,
    holdsSealingKey: true,
    labels: {},
    draining: false,
    ...more,
    state,
    seenAt: timestampFromMs(seen),
    createdAt: timestampFromMs(world.startedAt - n * 9 * 86_400_000),
  };
}
