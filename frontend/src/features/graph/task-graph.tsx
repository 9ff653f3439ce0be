import "@xyflow/react/dist/base.css";
import { Button } from "@mantine/core";
import {
  Background,
  BackgroundVariant,
  Controls,
  type Edge,
  Handle,
  type Node,
  type NodeProps,
  Panel,
  Position,
  ReactFlow,
} from "@xyflow/react";
import { type CSSProperties, memo, useMemo, useState } from "react";
import { Icon } from "@/components/ui/icon";
import { toneColor, toneFill } from "@/components/ui/tone";
import classes from "./graph.module.css";
import { collapse, groupsOf } from "./groups";
import { type Box, layout, NODE_HEIGHT, NODE_WIDTH } from "./layout";
import { type GraphTask, related, shapeOf, signatureOf } from "./model";
import { useView } from "./use-view";

export interface TaskGraphProps {
  tasks: readonly GraphTask[];
  /** The groups whose tasks stand in boxes. */
  boxes?: readonly GraphTask[];
  /** The name of the selected task. */
  selected: string | undefined;
  onSelect: (name: string | undefined) => void;
}

type TaskNode = Node<{ task: GraphTask; dim: boolean; selected: boolean }, "task">;
type LabelNode = Node<{ text: string }, "label">;
type BoxNode = Node<{ task: GraphTask | undefined; name: string; selected: boolean }, "box">;

type AnyNode = TaskNode | LabelNode | BoxNode;

const nodeTypes = { task: memo(TaskBox), label: memo(Label), box: memo(GroupBox) };
const LABEL_HEIGHT = 22;
const PADDING = 64;

/** TaskGraph draws tasks as stations on their tracks. Its code is loaded only where it is shown. */
export function TaskGraph({ tasks: all, boxes = [], selected, onSelect }: TaskGraphProps) {
  const [opened, setOpened] = useState<ReadonlySet<string>>(new Set());
  const groups = groupsOf(all);
  const grouped = groups.find(({ members }) => members.some(({ name }) => name === selected));
  const tasks = collapse(all, groups, grouped ? new Set([...opened, grouped.name]) : opened);
  const choose = (name: string) => {
    if (groups.some((group) => group.name === name)) setOpened(new Set([...opened, name]));
    else onSelect(name);
  };
  const shape = shapeOf(tasks);
  const signature = signatureOf(shape);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the signature stands for the shape, which is new at each render.
  const placed = useMemo(() => layout(shape), [signature]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: as above.
  const route = useMemo(() => (selected ? related(shape, selected) : undefined), [signature, selected]);
  const byName = new Map(tasks.map((task) => [task.name, task]));
  const view = useView<AnyNode>(placed, selected);
  const nodes = placed.nodes.flatMap(({ name, x, y }): TaskNode[] => {
    const task = byName.get(name);
    if (!task) return [];
    const data = { task, dim: route !== undefined && !route.has(name), selected: name === selected };
    return [
      {
        id: name,
        type: "task",
        position: { x, y },
        width: NODE_WIDTH,
        height: NODE_HEIGHT,
        data,
        ariaLabel: `${name}: ${task.look.label}${task.note ? `, ${task.note}` : ""}`,
      },
    ];
  });
  const label = placed.exitY === undefined ? [] : [labelNode(placed.exitY)];
  return (
    <div
      ref={view.ref}
      className={classes.graph}
      data-small={view.small || undefined}
      style={{ "--height": `${placed.height + PADDING}px` } as CSSProperties}
    >
      <ReactFlow
        key={signature}
        nodes={[...placed.boxes.map((box) => boxNode(box, boxes, selected)), ...nodes, ...label]}
        edges={shape.edges.map(({ from, to }) => edgeOf(from, to, byName.get(from), byName.get(to), route))}
        nodeTypes={nodeTypes}
        nodesDraggable={false}
        nodesConnectable={false}
        nodesFocusable
        edgesFocusable={false}
        elementsSelectable
        onNodeClick={(_, node) => {
          if (node.type === "task") choose(node.id);
          if (node.type === "box") onSelect(node.data.name);
        }}
        onPaneClick={() => onSelect(undefined)}
        onSelectionChange={({ nodes: [node] }) => {
          // Enter and space on a focused station select it, as a click does.
          if (node?.type === "box") onSelect(node.data.name);
          else if (node && node.id !== selected) choose(node.id);
        }}
        onlyRenderVisibleElements={tasks.length > 100}
        onInit={view.onInit}
        onMove={view.onMove}
        minZoom={0.1}
        maxZoom={1.6}
        panOnScroll={false}
        preventScrolling={false}
        zoomOnScroll={false}
        aria-label="The run's graph"
      >
        <Background variant={BackgroundVariant.Dots} gap={20} size={1.2} color="var(--sb-line-strong)" />
        <Controls
          showInteractive={false}
          position="bottom-right"
          onZoomIn={view.onZoom}
          onZoomOut={view.onZoom}
          onFitView={view.onFit}
        />
        {opened.size > 0 && (
          <Panel position="top-right">
            <Button size="compact-xs" variant="default" onClick={() => setOpened(new Set())}>
              Fold the groups
            </Button>
          </Panel>
        )}
      </ReactFlow>
    </div>
  );
}

function labelNode(exitY: number): LabelNode {
  return {
    id: "\nexit",
    type: "label",
    position: { x: 0, y: exitY - LABEL_HEIGHT },
    data: { text: "When the run has ended" },
    width: NODE_WIDTH,
    height: LABEL_HEIGHT,
    selectable: false,
    focusable: false,
  };
}

function boxNode(
  { name, x, y, width, height }: Box,
  boxes: readonly GraphTask[],
  selected: string | undefined,
): BoxNode {
  const task = boxes.find((each) => each.name === name);
  return {
    id: `\n${name}`,
    type: "box",
    position: { x, y },
    width,
    height,
    zIndex: -1,
    data: { task, name, selected: name === selected },
    ariaLabel: `${name}: ${task ? `${task.look.label}, ${task.note}` : "group"}`,
  };
}

function GroupBox({ data: { task, name, selected } }: NodeProps<BoxNode>) {
  const style = { "--tone": toneColor(task?.look.tone ?? "neutral") } as CSSProperties;
  return (
    <div className={classes.group} style={style} data-selected={selected || undefined}>
      <span className={classes.groupName}>
        {task && <Icon name={task.look.icon} size={13} className={task.look.moving ? "sb-spin" : undefined} />}
        {name}
        {task?.note && <span className="sb-num sb-dim">{task.note}</span>}
      </span>
    </div>
  );
}

function Label({ data }: NodeProps<LabelNode>) {
  return <span className={classes.label}>{data.text}</span>;
}

function edgeOf(from: string, to: string, source?: GraphTask, target?: GraphTask, route?: Set<string>): Edge {
  const active = target?.look.moving === true;
  const passed = source?.look.tone === "good";
  const off = route !== undefined && !(route.has(from) && route.has(to));
  return {
    id: `${from}\n${to}`,
    source: from,
    target: to,
    type: "smoothstep",
    animated: active,
    focusable: false,
    className: classes.edge,
    style: {
      stroke: active ? "var(--sb-tone-run)" : passed ? "var(--sb-track-set)" : "var(--sb-track)",
      strokeWidth: active || passed ? 2.4 : 2,
      opacity: off ? 0.25 : 1,
    },
  };
}

function TaskBox({ data: { task, dim, selected } }: NodeProps<TaskNode>) {
  const { look } = task;
  const style = { "--tone": toneColor(look.tone), "--fill": toneFill(look.tone) } as CSSProperties;
  return (
    <div
      className={classes.box}
      style={style}
      data-tone={look.tone}
      data-dim={dim || undefined}
      data-selected={selected || undefined}
      data-exit={task.exit !== "" || undefined}
      data-group={task.members !== undefined || undefined}
    >
      <Handle type="target" position={Position.Left} isConnectable={false} className={classes.handle} />
      <span className={classes.lamp}>
        <Icon name={look.icon} size={17} className={look.moving ? "sb-spin" : undefined} />
      </span>
      <span className={classes.text}>
        <span className={classes.name}>
          {task.name}
          {task.members !== undefined && <span className="sb-dim"> × {task.members}</span>}
        </span>
        <span className={classes.note}>
          {look.label}
          {task.note && <span className="sb-num"> · {task.note}</span>}
        </span>
        {task.progress && <ProgressBar {...task.progress} />}
      </span>
      <Handle type="source" position={Position.Right} isConnectable={false} className={classes.handle} />
    </div>
  );
}

function ProgressBar({ done, failed, total }: { done: number; failed: number; total: number }) {
  const share = (n: number) => `${(100 * n) / Math.max(1, total)}%`;
  return (
    <span className={classes.bar} aria-hidden="true">
      <span style={{ width: share(done - failed), background: "var(--sb-tone-good)" }} />
      <span style={{ width: share(failed), background: "var(--sb-tone-bad)" }} />
    </span>
  );
}
