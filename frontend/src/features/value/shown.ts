import type { Artifact, Value } from "@/gen/signalbox/run/v1/value_pb";
import type { Document } from "./document";

/**
 * Shown is a value as the screen may show it: `open` was never sealed, `opened`
 * was opened in this browser, `sealed` nobody here can read.
 */
export interface Shown {
  name: string;
  type: string;
  /** Bytes of the plain value; 0 where unknown. */
  size: number;
  state: "open" | "opened" | "sealed";
  /** The value itself, unless it is sealed. */
  json?: unknown;
}

/** showValue puts together what the server sent and what an agent opened. */
export function showValue(value: Value, opened: Record<string, unknown> | undefined): Shown {
  const base = { name: value.name, type: value.type, size: value.size };
  if (value.content.case === "openJson") return { ...base, state: "open", json: parse(value.content.value) };
  if (opened && value.name in opened) return { ...base, state: "opened", json: opened[value.name] };
  return { ...base, state: "sealed" };
}

/** showMessage puts together what an approval asks: of its task the document has it under a key of its own. */
export function showMessage(value: Value, document: Document | undefined, task: string): Shown {
  const message = document?.tasks[task]?.message;
  return showValue(value, message === undefined ? undefined : { [value.name]: message });
}

export interface ShownArtifact {
  name: string;
  type: string;
  size: bigint;
  digest: string;
  /** Where it lies with the customer; undefined while sealed. */
  uri?: string;
}

export function showArtifact(artifact: Artifact, opened: Record<string, unknown> | undefined): ShownArtifact {
  const uri = opened?.[artifact.name];
  const { name, type, size, digest } = artifact;
  return { name, type, size, digest, uri: typeof uri === "string" ? uri : undefined };
}

/** errorText is what an attempt failed with, once it was opened. */
export function errorText(document: Document | undefined, task: string, attempt: number): string | undefined {
  const text = document?.tasks[task]?.errors[String(attempt)];
  return typeof text === "string" ? text : undefined;
}

function parse(bytes: Uint8Array): unknown {
  const text = new TextDecoder().decode(bytes);
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** textOfJson writes a value as a person types it: strings bare, the rest as JSON. */
export function textOfJson(json: unknown): string {
  return typeof json === "string" ? json : JSON.stringify(json);
}
