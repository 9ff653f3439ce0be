// Sealing in the browser: params on their way in, logs and values on their way
// out. WebCrypto only; nothing here talks to a server.

export type { Bytes } from "./bytes";
export {
  type Binding,
  fingerprint,
  inspect,
  keyId,
  maxValue,
  outputName,
  paramName,
  sealedText,
  sealValue,
  signalName,
} from "./envelope";
export { SealError, type SealReason } from "./error";
export { logsOf, type Opened, ReaderKey, type Stream, StreamOpener, valuesOfRun } from "./relay";
