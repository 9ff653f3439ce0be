import { useWhyNot } from "@/features/tenancy/place";

/** useNoDataReason says why the reader may not open logs and values; undefined when he may. */
export function useNoDataReason(): string | undefined {
  return useWhyNot("data.read");
}
