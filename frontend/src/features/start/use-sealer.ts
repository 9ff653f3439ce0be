import { useQuery } from "@connectrpc/connect-query";
import { useMembership, useWorkspaceAccess } from "@/features/tenancy/place";
import { PoolService } from "@/gen/signalbox/pool/v1/pool_pb";
import { keyId, sealValue } from "@/seal";

const REFRESH_MS = 2000;
const FRESH_MS = 5000;

/** useSealer seals values to the workspace's key, once there is one. */
export function useSealer() {
  const organization = useMembership().organization?.id ?? "";
  const workspace = useWorkspaceAccess()?.workspace?.id ?? "";
  // The first agent makes the key, at any moment.
  const key = useQuery(
    PoolService.method.getSealingKey,
    {},
    {
      staleTime: ({ state }) => (state.data?.sealingKey ? FRESH_MS : 0),
      refetchInterval: ({ state }) => (state.data?.sealingKey ? false : REFRESH_MS),
    },
  );
  const sealingKey = key.data?.sealingKey;
  /** seal makes an envelope of a value under the name that it has for those who open it. */
  const seal = async (name: string, plain: Uint8Array) => {
    if (!sealingKey) throw new Error("The workspace has no sealing key yet: its first agent makes it.");
    if ((await keyId(sealingKey.publicKey)) !== sealingKey.kid)
      throw new Error("The sealing key is not the one it claims to be.");
    return sealValue(sealingKey.publicKey, { organization, workspace, name }, plain);
  };
  return { seal, sealingKey, keyKnown: key.data !== undefined };
}
