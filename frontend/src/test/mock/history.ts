import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { ConnectRouter } from "@connectrpc/connect";
import { millis } from "@/format/time";
import { HistoryService } from "@/gen/signalbox/run/v1/history_pb";
import { fold, type RunScript } from "./fold";
import { notFound, pause } from "./refuse";
import type { World } from "./world";

interface Event {
  at: number;
  task: string;
  sentence: string;
}

/** eventsOf is the journal of a run of the mock: its script, told in order. */
function eventsOf(script: RunScript): Event[] {
  const { tasks } = fold(script, Date.now());
  const events: Event[] = [{ at: script.createdAt, task: "", sentence: `${script.actor} started the run` }];
  for (const { name, attempts } of tasks) {
    for (const { number, agentName, startedAt, finishedAt, state } of attempts) {
      const started = millis(startedAt);
      const finished = millis(finishedAt);
      if (started !== undefined)
        events.push({ at: started, task: name, sentence: `${name}: try ${number} runs on ${agentName}` });
      if (finished !== undefined)
        events.push({ at: finished, task: name, sentence: `${name}: try ${number} ${state}` });
    }
  }
  return events.sort((a, b) => a.at - b.at);
}

export function historyRoutes(router: ConnectRouter, world: World): void {
  const find = (id: string): RunScript => {
    const script = world.runs.find((each) => each.id === id);
    if (!script) throw notFound();
    return script;
  };
  router.service(HistoryService, {
    getRunAt: async ({ id, moment }) => {
      await pause(60);
      const script = find(id);
      const events = eventsOf(script);
      const seq = moment.case === "seq" ? Number(moment.value) : events.length;
      const at = events[seq - 1]?.at ?? script.createdAt;
      return { ...fold(script, at), at: timestampFromMs(at), lastSeq: BigInt(events.length) };
    },
    listEntries: async ({ id, after, pageSize }) => {
      await pause(60);
      const entries = eventsOf(find(id)).map(({ at, ...event }, i) => ({
        ...event,
        at: timestampFromMs(at),
        seq: BigInt(i + 1),
      }));
      return { entries: entries.slice(Number(after), Number(after) + (pageSize || 200)) };
    },
  });
}
