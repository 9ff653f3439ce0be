import type { PlanParam } from "@/features/pipeline/plan";

/** Parsed is a typed text as JSON of its type, or what is wrong with it. */
export type Parsed = { json: string } | { problem: string };

const INT64 = { least: -(2n ** 63n), most: 2n ** 63n - 1n };
/** The most that one value may measure; what is larger is an artifact. */
const MOST_BYTES = 64 * 1024;
const decimal = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;

/**
 * parseParam reads what somebody typed for a param, by the rules of proto/plan:
 * the same text gives the same value here, in the CLI and in a file.
 */
export function parseParam(param: PlanParam, text: string): Parsed {
  const parsed = parseValue(param.type, text);
  if ("problem" in parsed) return parsed;
  if (new TextEncoder().encode(parsed.json).length > MOST_BYTES) {
    return { problem: "A value may have 64 KiB; hand on what is larger as an artifact." };
  }
  if (param.enum.length > 0 && !param.enum.includes(plain(parsed.json))) {
    return { problem: `One of ${param.enum.join(", ")}.` };
  }
  return checkRange(param, parsed.json) ?? parsed;
}

export function parseValue(type: string, raw: string): Parsed {
  const element = /^list<(.+)>$/.exec(type)?.[1];
  if (element) return parseList(element, raw);
  const text = raw.trim();
  switch (type) {
    case "string":
      return { json: JSON.stringify(raw) };
    case "int":
      return parseInt64(text);
    case "float":
      return parseFloat64(text);
    case "bool":
      if (/^(true|True|TRUE)$/.test(text)) return { json: "true" };
      if (/^(false|False|FALSE)$/.test(text)) return { json: "false" };
      return { problem: "true or false." };
    case "uri":
      if (/^[a-zA-Z][a-zA-Z0-9+.-]*:.+/.test(text)) return { json: JSON.stringify(text) };
      return { problem: "A URI with a scheme, as in s3://bucket/key." };
    case "duration":
      return parseDuration(text);
    case "bytes":
      if (text !== "" && text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text))
        return { json: JSON.stringify(text) };
      return { problem: "Bytes in base64." };
    default:
      return parseJson(text);
  }
}

function parseInt64(text: string): Parsed {
  if (!/^[+-]?\d+$/.test(text)) return { problem: "A whole number." };
  const value = BigInt(text);
  if (value < INT64.least || value > INT64.most) return { problem: "A whole number of 64 bits." };
  return { json: value.toString() };
}

function parseFloat64(text: string): Parsed {
  if (!decimal.test(text)) return { problem: "A number, as in 0.1 or 1e-3." };
  const value = Number(text);
  if (!Number.isFinite(value)) return { problem: "The number is too large." };
  return { json: JSON.stringify(value + 0) };
}

const unitMillis: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

function parseDuration(text: string): Parsed {
  if (/^\d+(\.\d+)?$/.test(text)) return { problem: "A duration needs a unit: ms, s, m, h or d, as in 90s or 1h30m." };
  if (!/^(\d+(\.\d+)?(ms|s|m|h|d))+$/.test(text)) return { problem: "A duration, as in 90s, 1h30m or 7d." };
  let ms = 0;
  for (const [, count, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g))
    ms += Number(count) * (unitMillis[unit ?? ""] ?? 0);
  ms = Math.round(ms * 1e6) / 1e6;
  if (!Number.isInteger(ms)) return { problem: "Whole milliseconds." };
  return { json: JSON.stringify(ms % 1000 === 0 ? `${ms / 1000}s` : `${(ms / 1000).toFixed(3)}s`) };
}

const tooLong = "A whole number of more than 15 digits would lose some here; start the run from the command line.";

function parseJson(text: string): Parsed {
  try {
    const value: unknown = JSON.parse(text);
    return losesDigits(value) ? { problem: tooLong } : { json: JSON.stringify(sortKeys(value)) };
  } catch {
    return { problem: "JSON." };
  }
}

/** losesDigits finds numbers that this language cannot hold. */
function losesDigits(value: unknown): boolean {
  if (typeof value === "number") return Number.isInteger(value) && !Number.isSafeInteger(value);
  return typeof value === "object" && value !== null && Object.values(value).some(losesDigits);
}

function parseList(element: string, text: string): Parsed {
  let list: unknown;
  try {
    list = JSON.parse(text);
  } catch {
    list = undefined;
  }
  if (!Array.isArray(list)) return { problem: 'A JSON list, as in ["a", "b"].' };
  if (losesDigits(list)) return { problem: tooLong };
  const items: string[] = [];
  for (const [i, item] of list.entries()) {
    const quoted = element === "string" || element === "uri" || element === "duration" || element === "bytes";
    if (quoted !== (typeof item === "string") && element !== "json")
      return { problem: `Item ${i}: not of type ${element}.` };
    const parsed = parseValue(element, typeof item === "string" && element !== "json" ? item : JSON.stringify(item));
    if ("problem" in parsed) return { problem: `Item ${i}: ${parsed.problem}` };
    items.push(parsed.json);
  }
  return { json: `[${items.join(",")}]` };
}

/** As the server writes it: keys in order, at every depth. */
function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, each]) => [key, sortKeys(each)]),
  );
}

function checkRange(param: PlanParam, json: string): { problem: string } | undefined {
  const value = quantity(json);
  const { min, max } = param;
  if (value === undefined) return undefined;
  if (min !== undefined && value < (quantity(JSON.stringify(min)) ?? value))
    return { problem: `At least ${plain(JSON.stringify(min))}.` };
  if (max !== undefined && value > (quantity(JSON.stringify(max)) ?? value))
    return { problem: `At most ${plain(JSON.stringify(max))}.` };
  return undefined;
}

/** The number behind an int, a float, or a duration in canonical seconds. */
function quantity(json: string): number | undefined {
  const value = Number(plain(json).replace(/s$/, ""));
  return Number.isNaN(value) ? undefined : value;
}

function plain(json: string): string {
  const value: unknown = JSON.parse(json);
  return typeof value === "string" ? value : json;
}
