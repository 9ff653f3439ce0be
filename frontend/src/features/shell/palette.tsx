import { useQuery } from "@connectrpc/connect-query";
import { Spotlight, type SpotlightActionData, spotlight } from "@mantine/spotlight";
import { skipToken } from "@tanstack/react-query";
import { useNavigate, useRouter } from "@tanstack/react-router";
import { useState } from "react";
import { Icon, type IconName } from "@/components/ui/icon";
import { homeWorkspace } from "@/features/tenancy/last-place";
import { useMembership, usePlace } from "@/features/tenancy/place";
import { PipelineService } from "@/gen/signalbox/pipeline/v1/pipeline_pb";
import classes from "./shell.module.css";

export const openPalette = spotlight.open;

interface PaletteProps {
  onHelp: () => void;
}

/** Palette is ⌘K: pages, pipelines, and runs by their id. */
export function Palette({ onHelp }: PaletteProps) {
  const [query, setQuery] = useState("");
  const pages = usePages(onHelp);
  const pipelines = usePipelineActions();
  const run = useRunAction(query.trim());
  return (
    <Spotlight
      actions={[...run, { group: "Go to", actions: pages }, { group: "Pipelines", actions: pipelines }]}
      query={query}
      onQueryChange={setQuery}
      shortcut={["mod + K"]}
      highlightQuery
      scrollable
      classNames={{ content: classes.palette }}
      maxHeight={420}
      nothingFound="Nothing of that name. A run opens by its id."
      searchProps={{ placeholder: "Search pages and pipelines, or paste a run's id", "aria-label": "Search" }}
    />
  );
}

function action(id: string, label: string, icon: IconName, onClick: () => unknown): SpotlightActionData {
  return { id, label, onClick: () => void onClick(), leftSection: <Icon name={icon} size={17} /> };
}

function usePages(onHelp: () => void): SpotlightActionData[] {
  const navigate = useNavigate();
  const params = useHomePlace();
  return [
    action("overview", "Overview", "overview", () => navigate({ to: "/o/$org/w/$ws", params })),
    action("runs", "Runs", "run", () => navigate({ to: "/o/$org/w/$ws/runs", params })),
    action("failed", "Failed runs of the last 7 days", "circleX", () =>
      navigate({ to: "/o/$org/w/$ws/runs", params, search: { state: ["failed"], window: "7d" } }),
    ),
    action("pipelines", "Pipelines", "pipeline", () => navigate({ to: "/o/$org/w/$ws/pipelines", params })),
    action("schedules", "Schedules", "clock", () => navigate({ to: "/o/$org/w/$ws/schedules", params })),
    action("pools", "Pools and agents", "pool", () => navigate({ to: "/o/$org/w/$ws/pools", params })),
    action("usage", "Usage and invoice", "usage", () => navigate({ to: "/o/$org/usage", params })),
    action("members", "Members", "members", () => navigate({ to: "/o/$org/members", params })),
    action("keys", "API keys", "key", () => navigate({ to: "/o/$org/keys", params })),
    action("audit", "Audit log", "audit", () => navigate({ to: "/o/$org/audit", params })),
    action("account", "Account", "user", () => navigate({ to: "/account" })),
    action("help", "Keyboard shortcuts", "keyboard", onHelp),
  ];
}

function usePipelineActions(): SpotlightActionData[] {
  const navigate = useNavigate();
  const params = useHomePlace();
  const { transports } = useRouter().options.context;
  const { data } = useQuery(PipelineService.method.listPipelines, params.ws ? {} : skipToken, {
    transport: transports.at(params),
    staleTime: 60_000,
  });
  return (data?.pipelines ?? []).map(({ name }) =>
    action(`pipeline-${name}`, name, "pipeline", () =>
      navigate({ to: "/o/$org/w/$ws/pipelines/$name", params: { ...params, name } }),
    ),
  );
}

function useRunAction(query: string): SpotlightActionData[] {
  const navigate = useNavigate();
  const params = useHomePlace();
  if (!/^run_[0-9a-z]{26}$/.test(query)) return [];
  const open = () => navigate({ to: "/o/$org/w/$ws/runs/$runId", params: { ...params, runId: query } });
  // The label holds the query, else the palette's own filter would drop it.
  return [action("run", `Open run ${query}`, "run", open)];
}

function useHomePlace(): { org: string; ws: string } {
  const membership = useMembership();
  const { org, ws } = usePlace();
  return { org, ws: ws || (homeWorkspace(membership) ?? "") };
}
