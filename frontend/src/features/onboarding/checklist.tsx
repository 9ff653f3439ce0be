import { Button } from "@mantine/core";
import type { ReactNode } from "react";
import { Announce } from "@/components/ui/announce";
import { Icon } from "@/components/ui/icon";
import { ErrorView, Rows } from "@/components/ui/loaded";
import { Section } from "@/components/ui/page";
import { AgentStep } from "./agent-step";
import classes from "./checklist.module.css";
import { PipelineStep } from "./pipeline-step";
import { useProgress } from "./progress";
import { RunStep } from "./run-step";
import { type Step, type StepName, stepsOf } from "./steps";

interface ChecklistProps {
  onSkip: () => void;
}

/** Checklist leads from nothing to a first run; it ticks from the server's state. */
export function Checklist({ onSkip }: ChecklistProps) {
  const { progress, error, pool, refetch } = useProgress();
  if (!progress) return error ? <ErrorView error={error} retry={refetch} /> : <Rows count={3} height={56} />;
  const steps = stepsOf(progress);
  const done = steps.filter((step) => step.done).length;
  const bodies: Record<StepName, ReactNode> = {
    agent: <AgentStep pool={pool} online={progress.agentsOnline} />,
    pipeline: <PipelineStep />,
    run: <RunStep />,
  };
  return (
    <Section
      title={done === steps.length ? "All set" : "Your first run"}
      note={done === steps.length ? "Everything works. This list can go." : `${done} of ${steps.length} steps done`}
      actions={
        <Button variant="subtle" color="gray" size="compact-sm" onClick={onSkip}>
          {done === steps.length ? "Close" : "Skip this"}
        </Button>
      }
    >
      <Announce text={`${done} of ${steps.length} steps done`} />
      <ol className={classes.steps}>
        {steps.map((step, i) => (
          <StepView key={step.name} step={step} number={i + 1}>
            {bodies[step.name]}
          </StepView>
        ))}
      </ol>
    </Section>
  );
}

function StepView({ step, number, children }: { step: Step; number: number; children: ReactNode }) {
  return (
    <li
      className={classes.step}
      data-done={step.done || undefined}
      data-current={step.current || undefined}
      aria-current={step.current ? "step" : undefined}
    >
      <span className={classes.mark}>{step.done ? <Icon name="check" size={15} label="Done" /> : number}</span>
      <div className={classes.body}>
        <h3 className={classes.title}>{step.title}</h3>
        {(step.current || step.name === "agent") && children}
      </div>
    </li>
  );
}
