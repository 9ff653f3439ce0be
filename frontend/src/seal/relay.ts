// Streams that an agent seals to this page: logs and values. The page makes a
// key pair per stream, whose private half cannot leave the browser and is
// forgotten with it. The format is proto/seal's; its package comment explains it.

import { type Bytes, bigEndian, concat, idBytes, utf8 } from "./bytes";
import { SealError } from "./error";
import { exportPublicKey, generateKeyPair, publicKeySize, type Recipient, setupRecipient } from "./hpke";

const frameFirst = 1;
const frameNext = 2;
const payloadMore = 0;
const payloadFinal = 1;

/** What a stream is bound to: the ids, and which data of the run it carries. */
export interface Stream {
  /** `org_…` */
  organization: string;
  /** `run_…` */
  run: string;
  /** Of logsOf, or valuesOfRun. */
  what: string;
}

/** All values of a run. */
export const valuesOfRun = "values";

/** The log of an attempt, as it is asked for: 0 is the last one. */
export function logsOf(task: string, attempt: number): string {
  return `logs|${task}|${attempt}`;
}

export interface Opened {
  payload: Bytes;
  /** The stream's last frame. Only this says so, not the end of the connection. */
  final: boolean;
}

export class ReaderKey {
  /** `generate` makes one; the constructor is for tests. */
  constructor(
    private readonly pair: CryptoKeyPair,
    /** What to ask for the stream with, 32 bytes. */
    readonly publicKey: Bytes,
  ) {}

  static async generate(): Promise<ReaderKey> {
    const pair = await generateKeyPair();
    return new ReaderKey(pair, await exportPublicKey(pair.publicKey));
  }

  opener(stream: Stream): StreamOpener {
    return new StreamOpener(this.pair, stream);
  }
}

/** Opens the frames of one stream, in the order in which open is called. */
export class StreamOpener {
  private readonly info: Bytes;
  private recipient: Recipient | undefined;
  private seq = 0;
  private ended = false;
  private broken: unknown;
  private last: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly pair: CryptoKeyPair,
    stream: Stream,
  ) {
    idBytes("org", stream.organization); // refuses what is no id, and with it a separator in one
    idBytes("run", stream.run);
    this.info = utf8(`signalbox relay v1|${stream.organization}|${stream.run}|${stream.what}`);
  }

  /**
   * Opens the next frame. Throws SealError for a frame that is changed, repeated,
   * left out, moved, or of another stream, and from then on for every frame.
   */
  open(frame: Uint8Array): Promise<Opened> {
    const opened = this.last.then(() => this.next(concat(frame)));
    this.last = opened.catch(() => undefined);
    return opened;
  }

  /** Call it when the connection has ended: throws SealError if frames are missing. */
  async finish(): Promise<void> {
    await this.last;
    if (this.broken !== undefined) throw this.broken;
    if (!this.ended) throw new SealError("truncated");
  }

  private async next(frame: Bytes): Promise<Opened> {
    if (this.broken !== undefined) throw this.broken;
    try {
      const { recipient, ciphertext } = await this.accept(frame);
      const plaintext = await recipient.open(bigEndian(this.seq, 8), ciphertext);
      const mark = plaintext[0];
      if (mark !== payloadMore && mark !== payloadFinal) throw new SealError("corrupt");
      this.seq++;
      this.ended = mark === payloadFinal;
      return { payload: plaintext.slice(1), final: this.ended };
    } catch (error) {
      this.broken = error;
      throw error;
    }
  }

  private async accept(frame: Bytes): Promise<{ recipient: Recipient; ciphertext: Bytes }> {
    const kind = frame[0];
    if (kind === undefined || this.ended) throw new SealError("corrupt");
    if (kind !== frameFirst && kind !== frameNext) throw new SealError("version");
    if (this.recipient !== undefined) {
      if (kind !== frameNext) throw new SealError("corrupt");
      return { recipient: this.recipient, ciphertext: frame.slice(1) };
    }
    if (kind !== frameFirst || frame.length < 1 + publicKeySize) throw new SealError("corrupt");
    this.recipient = await setupRecipient(this.pair, frame.slice(1, 1 + publicKeySize), this.info);
    return { recipient: this.recipient, ciphertext: frame.slice(1 + publicKeySize) };
  }
}
