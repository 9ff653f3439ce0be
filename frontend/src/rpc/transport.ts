import type { Interceptor, Transport } from "@connectrpc/connect";
import { addStaticKeyToTransport } from "@connectrpc/connect-query";
import { createConnectTransport } from "@connectrpc/connect-web";

/**
 * Place says whose data is asked for: slugs, as they stand in the URL. Nothing
 * means calls about the user himself.
 */
export interface Place {
  org?: string;
  ws?: string;
}

/** MakeTransport connects to the API; tests and the mock mode bring their own. */
export type MakeTransport = (interceptors: Interceptor[], place: Place) => Transport;

const toServer: MakeTransport = (interceptors) =>
  createConnectTransport({ baseUrl: window.location.origin, useBinaryFormat: true, interceptors });

/**
 * Transports hands out one transport per place. The same place always gives the
 * same object: it is part of every query's key, so two organizations never
 * share a cache entry.
 */
export class Transports {
  private readonly known = new Map<string, Transport>();

  constructor(private readonly make: MakeTransport = toServer) {}

  at(place: Place): Transport {
    const key = `${place.org ?? ""}/${place.ws ?? ""}`;
    const known = this.known.get(key);
    if (known) return known;
    const transport = addStaticKeyToTransport(this.make([namePlace(place)], place), key);
    this.known.set(key, transport);
    return transport;
  }
}

/** namePlace says in two headers whose data a call is about. */
export function namePlace(place: Place): Interceptor {
  return (next) => (call) => {
    if (place.org) call.header.set("Signalbox-Organization", place.org);
    if (place.ws) call.header.set("Signalbox-Workspace", place.ws);
    return next(call);
  };
}
