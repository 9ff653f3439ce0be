import { expect, it } from "vitest";
import { drawnAs } from "./task-note";

const drawn = new Set(["split", "train", "fold", "publish", "publish/pack"]);

it.each([
  ["train", "train"],
  ["train[3]", "train"],
  ["fold[3]/train", "fold"],
  ["publish/pack", "publish/pack"],
  ["publish/other", "publish"],
  ["gone", undefined],
  [undefined, undefined],
])("%s is at the station %s", (path, station) => expect(drawnAs(path, drawn)).toBe(station));
