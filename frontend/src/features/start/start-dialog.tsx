import { skipToken, useQuery } from "@connectrpc/connect-query";
import { useNavigate } from "@tanstack/react-router";
import { ErrorView, Rows } from "@/components/ui/loaded";
import type { Plan } from "@/features/pipeline/plan";
import { usePlace } from "@/features/tenancy/place";
import { useOpened } from "@/features/value/use-values";
import { RunService } from "@/gen/signalbox/run/v1/run_pb";
import { draftsOf } from "./draft";
import { StartForm, StartModal } from "./start-form";

interface StartDialogProps {
  plan: Plan | undefined;
  /** A digest; empty means the deployed version. */
  version: string;
  /** `new`, or the run whose values fill the form; undefined when closed. */
  from: string | undefined;
  onClose: () => void;
}

/** StartDialog asks for params, empty or filled from an earlier run, and starts a run. */
export function StartDialog({ plan, version, from, onClose }: StartDialogProps) {
  const again = from !== undefined && from !== "new" ? from : undefined;
  return (
    <StartModal
      opened={from !== undefined}
      onClose={onClose}
      title={`${again ? "Run again" : "Start a run"}: ${plan?.name ?? "…"}`}
    >
      {!plan ? (
        <Rows count={3} />
      ) : again ? (
        <FromRun plan={plan} version={version} run={again} onClose={onClose} />
      ) : (
        <Form plan={plan} version={version} onClose={onClose} />
      )}
    </StartModal>
  );
}

interface FormProps {
  plan: Plan;
  version: string;
  onClose: () => void;
}

function Form({ plan, version, onClose }: FormProps) {
  const onStarted = useOpenRun();
  return (
    <StartForm
      plan={plan}
      version={version}
      initial={draftsOf(plan.params, [], undefined)}
      initialLabels={{}}
      from={undefined}
      onStarted={onStarted}
      onClose={onClose}
    />
  );
}

/** FromRun waits for the earlier run's values, and for an agent to open the sealed ones, or to be known as offline. */
function FromRun({ plan, version, run, onClose }: FormProps & { run: string }) {
  const onStarted = useOpenRun();
  const got = useQuery(RunService.method.getRun, { id: run });
  const values = useQuery(RunService.method.getRunValues, got.data ? { id: run } : skipToken, { retry: false });
  const sealed = values.data?.params.some(({ content }) => content.case === "sealed") ?? false;
  const opened = useOpened({ id: run, seq: got.data?.run?.seq ?? 0n }, sealed);
  if (got.error) return <ErrorView error={got.error} />;
  const waiting = !got.data || values.isPending || (sealed && opened.isPending);
  if (waiting) return <Rows count={3} />;
  const { pipeline, number, labels } = got.data?.run ?? { pipeline: "", number: 0n, labels: {} };
  return (
    <StartForm
      plan={plan}
      version={version}
      initial={draftsOf(plan.params, values.data?.params ?? [], opened.data?.document.params)}
      initialLabels={labels}
      from={values.data ? `${pipeline} #${number}` : undefined}
      onStarted={onStarted}
      onClose={onClose}
    />
  );
}

function useOpenRun(): (run: string) => void {
  const navigate = useNavigate();
  const place = usePlace();
  return (runId) => void navigate({ to: "/o/$org/w/$ws/runs/$runId", params: { ...place, runId } });
}
