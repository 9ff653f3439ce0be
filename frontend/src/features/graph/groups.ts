import { plural } from "@/format/count";
import type { GraphTask } from "./model";

/** From this many on, tasks between the same neighbours are drawn as one. */
const LEAST = 10;

/** Group stands for tasks that hang on the same tasks and on which the same tasks hang. */
export interface Group {
  /** What the members' names have in common: `embed-*`. */
  name: string;
  members: GraphTask[];
}

/** groupsOf finds the fans of a graph, in the order of their first members. */
export function groupsOf(tasks: readonly GraphTask[]): Group[] {
  const below = new Map<string, string[]>();
  for (const { name, needs } of tasks) for (const need of needs) below.set(need, [...(below.get(need) ?? []), name]);
  const buckets = new Map<string, GraphTask[]>();
  for (const task of tasks) {
    if (task.exit !== "" || task.progress) continue;
    const place = JSON.stringify([task.box, [...task.needs].sort(), below.get(task.name)?.toSorted() ?? []]);
    buckets.set(place, [...(buckets.get(place) ?? []), task]);
  }
  return [...buckets.values()]
    .filter((members) => members.length >= LEAST)
    .map((members) => ({ name: nameOf(members), members }));
}

/** collapse draws each group as one task, except those that the reader has opened. */
export function collapse(
  tasks: readonly GraphTask[],
  groups: readonly Group[],
  opened: ReadonlySet<string>,
): GraphTask[] {
  const standIn = new Map<string, Group>();
  for (const group of groups)
    if (!opened.has(group.name)) for (const { name } of group.members) standIn.set(name, group);
  const drawn = new Set<string>();
  return tasks.flatMap((task) => {
    const group = standIn.get(task.name);
    if (group && drawn.has(group.name)) return [];
    if (group) drawn.add(group.name);
    const needs = [...new Set(task.needs.map((need) => standIn.get(need)?.name ?? need))];
    return [group ? summary(group, needs) : { ...task, needs }];
  });
}

/** A group looks like the most urgent of its members, and says how far they are. */
function summary({ name, members }: Group, needs: string[]): GraphTask {
  const count = (tone: string) => members.filter(({ look }) => look.tone === tone).length;
  const failed = count("bad");
  const lead = (["bad", "run", "wait", "odd", "neutral", "quiet", "good"] as const)
    .map((tone) => members.find(({ look }) => look.tone === tone))
    .find((member) => member !== undefined);
  const done = members.length - count("run") - count("wait") - count("neutral");
  const note = `${done}/${members.length} done${failed > 0 ? `, ${failed} failed` : ""}`;
  return {
    name,
    needs,
    exit: "",
    look: lead?.look ?? { label: plural(members.length, "task"), tone: "neutral", icon: "circleDashed" },
    note,
    members: members.length,
  };
}

function nameOf(members: readonly GraphTask[]): string {
  const names = members.map(({ name }) => name);
  const first = names[0] ?? "";
  let length = 0;
  while (length < first.length && names.every((name) => name[length] === first[length])) length++;
  const prefix = first.slice(0, length);
  return prefix === "" ? `${first} and ${members.length - 1} more` : `${prefix}*`;
}
