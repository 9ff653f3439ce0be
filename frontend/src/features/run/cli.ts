/** quote makes a word safe for a POSIX shell. */
export function quote(word: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

interface Start {
  pipeline: string;
  version?: string;
  params: readonly (readonly [string, string])[];
  labels: readonly (readonly [string, string])[];
}

/** startCommand starts the same run from a terminal. */
export function startCommand({ pipeline, version, params, labels }: Start): string {
  const words = ["signalbox", "run", "start", pipeline];
  if (version) words.push("--version", version.slice(0, 12));
  // A value that begins with @ would be read as the name of a file.
  for (const [name, value] of params) words.push("--param", `${name}=${value.startsWith("@") ? "@" : ""}${value}`);
  for (const [name, value] of labels) words.push("--label", `${name}=${value}`);
  return words.map(quote).join(" ");
}

/** runCommands are the ways to look at a run from a terminal. */
export function runCommands(id: string): { what: string; command: string }[] {
  return [
    { what: "Watch it", command: `signalbox run watch ${id}` },
    { what: "Read a task's log", command: `signalbox run logs ${id}` },
    { what: "Get it as JSON", command: `signalbox run get ${id} -o json` },
  ];
}
