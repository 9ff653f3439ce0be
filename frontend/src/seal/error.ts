export type SealReason =
  /** Changed, cut, or sealed as something else; which of these cannot be told. */
  | "corrupt"
  /** Made by a newer release than this page. */
  | "version"
  /** A stream that ended without its last frame. */
  | "truncated"
  /** Over the limit of a value. */
  | "too_large"
  /** The workspace's public key is none. */
  | "bad_key";

const texts: Record<SealReason, string> = {
  corrupt: "The sealed data does not open: it was changed, or sealed as something else.",
  version: "The sealed data was made by a newer release. Reload the page.",
  truncated: "The sealed stream was cut off.",
  too_large: "The value is too large: 64 KiB at most. What is larger is an artifact.",
  bad_key: "The workspace's sealing key is not valid.",
};

/** Why sealing or opening failed, in words for the reader. */
export class SealError extends Error {
  constructor(readonly reason: SealReason) {
    super(texts[reason]);
    this.name = "SealError";
  }
}
