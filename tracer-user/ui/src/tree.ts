// A trace's spans as rows of a waterfall, and its critical path.
import type { Span } from "./api";

export interface Row {
  span: Span;
  depth: number;
  /** Its parent is named and not among the trace's spans. */
  orphan: boolean;
  children: Row[];
  /** Stretches of it that the whole had to wait for: [from, to) in nanoseconds. */
  critical: [number, number][];
}

const end = (span: Span) => span.start + span.duration;
const byStart = (one: Row, other: Row) => one.span.start - other.span.start || end(other.span) - end(one.span);

/**
 * Roots first, each row followed by those below it. A parent that would close a circle counts as missing.
 * Where both sides of a request share one id, as Zipkin's clients may have it, the server's side is below
 * the client's, and what names that id as its parent below the server's.
 */
export function rows(spans: Span[]): Row[] {
  const all = new Map<string, Row>();
  const shared: [Row, Row][] = [];
  for (const span of spans.toSorted((one, other) => Number(one.kind !== "CLIENT") - Number(other.kind !== "CLIENT"))) {
    const row = { span, depth: 0, orphan: false, children: [], critical: [] };
    const first = all.get(span.id);
    if (!first) all.set(span.id, row);
    else if (first.span.kind === "CLIENT" && span.kind === "SERVER") shared.push([first, row]);
  }
  const clients = new Set<Row>();
  for (const [client, server] of shared) {
    clients.add(client);
    client.children.push(server);
    all.set(server.span.id, server);
  }
  const sides = new Set(shared.map(([, server]) => server));
  const tops: Row[] = [];
  for (const row of [...clients, ...all.values()]) {
    if (sides.has(row)) continue;
    const parent = row.span.parent === null ? undefined : all.get(row.span.parent);
    if (parent && !circular(row, all)) {
      parent.children.push(row);
    } else {
      row.orphan = row.span.parent !== null;
      tops.push(row);
    }
  }
  tops.sort((one, other) => Number(one.orphan) - Number(other.orphan) || byStart(one, other));
  for (const top of tops) mark(top, end(top.span));
  const flat: Row[] = [];
  const pending = tops.map((row): [Row, number] => [row, 0]).reverse();
  for (let next = pending.pop(); next; next = pending.pop()) {
    const [row, depth] = next;
    row.depth = depth;
    flat.push(row);
    row.children.sort(byStart);
    for (const child of row.children.toReversed()) pending.push([child, depth + 1]);
  }
  return flat;
}

function circular(row: Row, all: Map<string, Row>): boolean {
  const seen = new Set<string>();
  for (let at: Row | undefined = row; at; at = at.span.parent === null ? undefined : all.get(at.span.parent)) {
    if (seen.has(at.span.id)) return true;
    seen.add(at.span.id);
  }
  return false;
}

/** Backwards from the end: what ended last is what was waited for; before it began, what ended then. */
function mark(top: Row, until: number): void {
  const pending: [Row, number][] = [[top, until]];
  for (let next = pending.pop(); next; next = pending.pop()) {
    const [row, limit] = next;
    let at = Math.min(end(row.span), limit);
    const children = row.children.toSorted((one, other) => end(other.span) - end(one.span));
    for (const child of children) {
      const [from, to] = [child.span.start, Math.min(end(child.span), at)];
      if (from >= at || to <= row.span.start) continue;
      if (at > to) row.critical.push([to, at]);
      pending.push([child, to]);
      at = Math.max(from, row.span.start);
    }
    if (at > row.span.start) row.critical.push([row.span.start, at]);
  }
}
