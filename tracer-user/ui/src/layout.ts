// Where the service map's nodes and edges go.
import dagre from "@dagrejs/dagre";
import type { Call, ServiceMap } from "./api";

export interface Box {
  x: number;
  y: number;
}
export interface Drawing {
  width: number;
  height: number;
  boxes: Map<string, Box>;
  paths: Map<Call, { line: string; label: Box }>;
}

export const NODE = { width: 176, height: 66 };

/** `down`: callers above, not to the left. */
export function layout(map: ServiceMap, down: boolean): Drawing {
  const graph = new dagre.graphlib.Graph({ multigraph: false });
  graph.setGraph({
    rankdir: down ? "TB" : "LR",
    nodesep: 26,
    ranksep: down ? 56 : 96,
    marginx: 12,
    marginy: 12,
  });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const node of map.nodes) graph.setNode(node.name, { ...NODE });
  for (const call of map.calls) {
    if (call.from !== call.to) graph.setEdge(call.from, call.to, { width: 52, height: 16, labelpos: "c" });
  }
  dagre.layout(graph);
  const boxes = new Map<string, Box>();
  for (const name of graph.nodes()) {
    const { x, y } = graph.node(name) as Box;
    boxes.set(name, { x, y });
  }
  const paths: Drawing["paths"] = new Map();
  for (const call of map.calls) {
    const at = boxes.get(call.from);
    if (call.from === call.to) {
      if (at) paths.set(call, loop(at));
      continue;
    }
    const edge = graph.edge(call.from, call.to) as unknown as { points: Box[]; x: number; y: number };
    paths.set(call, { line: curve(edge.points), label: { x: edge.x, y: edge.y } });
  }
  const { width = 0, height = 0 } = graph.graph() as { width?: number; height?: number };
  return { width, height: height + 16, boxes, paths };
}

function curve(points: Box[]): string {
  const [first, ...rest] = points;
  if (!first) return "";
  let line = `M${first.x},${first.y}`;
  for (let index = 0; index + 1 < rest.length; index++) {
    const [here, next] = [rest[index]!, rest[index + 1]!];
    const last = index + 2 === rest.length;
    const to = last ? next : { x: (here.x + next.x) / 2, y: (here.y + next.y) / 2 };
    line += `Q${here.x},${here.y} ${to.x},${to.y}`;
  }
  return rest.length === 1 ? `${line}L${rest[0]!.x},${rest[0]!.y}` : line;
}

/** One that calls itself. */
function loop({ x, y }: Box): { line: string; label: Box } {
  const bottom = y + NODE.height / 2;
  return { line: `M${x + 30},${bottom}c24,30 -84,30 -60,0`, label: { x, y: bottom + 17 } };
}
