import type { Look } from "@/components/ui/state-mark";
import { plural } from "@/format/count";
import type { Agent, Pool } from "@/gen/signalbox/pool/v1/pool_pb";

/** poolLook says whether a pool's work gets done. */
export function poolLook(pool: Pick<Pool, "paused" | "agentsOnline" | "leased">): Look {
  if (pool.paused && pool.leased > 0) return { label: "Draining", tone: "wait", icon: "hourglass" };
  if (pool.paused) return { label: "Paused", tone: "wait", icon: "pause" };
  if (pool.agentsOnline === 0) return { label: "No agent online", tone: "bad", icon: "agentOff" };
  return { label: "Working", tone: "good", icon: "agent" };
}

/** agentLook says whether an agent takes work. */
export function agentLook(agent: Pick<Agent, "state" | "draining">): Look {
  if (agent.state === "revoked") return { label: "Revoked", tone: "quiet", icon: "ban" };
  if (agent.state === "offline") return { label: "Offline", tone: "bad", icon: "agentOff" };
  if (agent.draining) return { label: "Draining", tone: "wait", icon: "hourglass" };
  return { label: "Online", tone: "good", icon: "agent" };
}

/** gpuText says what an agent has of GPUs, and how many of them are free: 1 of 2 GPUs free (a100). */
export function gpuText(agent: Pick<Agent, "gpus" | "gpusUsed" | "gpuType">): string {
  if (agent.gpus === 0) return "";
  const free = Math.max(0, agent.gpus - agent.gpusUsed);
  return `${free} of ${plural(agent.gpus, "GPU")} free${agent.gpuType ? ` (${agent.gpuType})` : ""}`;
}

/** slotsOf is how many attempts a pool can run now: its own bound, else what its agents have. */
export function slotsOf(pool: Pick<Pool, "name" | "slots">, agents: readonly Agent[]): number {
  const online = agents.filter((agent) => agent.pool === pool.name && agent.state === "online");
  const have = online.reduce((sum, { slots }) => sum + slots, 0);
  return pool.slots === 0 ? have : Math.min(pool.slots, have);
}

/** whyIdle says why a pool does nothing, for the reader who waits for it. */
export function whyIdle(pool: Pool, agents: readonly Agent[]): string | undefined {
  if (pool.paused) {
    const left = pool.leased > 0 ? `${plural(pool.leased, "task")} still to end` : "nothing runs any more";
    return `Paused${pool.pauseNote ? `: ${pool.pauseNote}` : ""}. Nothing new starts here; ${left}.`;
  }
  if (pool.agentsOnline === 0) return "No agent is online. Tasks wait until one comes back.";
  const slots = slotsOf(pool, agents);
  if (pool.ready > 0 && pool.leased >= slots) return `All ${slots} slots are in use; ${pool.ready} wait.`;
  return undefined;
}
