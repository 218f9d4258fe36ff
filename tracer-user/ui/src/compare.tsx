// Where a trace took its time, and where others like it take theirs.
import { useEffect, useState } from "preact/hooks";
import { ask, type Findings, type Span, type Trace } from "./api";
import { count, duration, plain } from "./format";
import { type Row, rows } from "./tree";
import { tracesAt } from "./use";

/** Others that are looked at. */
const OTHERS = 20;
/** Steps that are told. */
const STEPS = 12;

interface Step {
  label: string;
  /** Milliseconds of the critical path. */
  here: number;
  usual: number;
}

/** Each step's time on the critical path in milliseconds, by the way to it from the root. */
function steps(all: Row[]): Map<string, { label: string; time: number }> {
  const found = new Map<string, { label: string; time: number }>();
  const ways = new Map<Row, string>();
  const above = new Map<Row, Row>();
  for (const row of all) for (const child of row.children) above.set(child, row);
  for (const row of all) {
    const parent = above.get(row);
    const step = `${parent ? ways.get(parent) : ""}\n${row.span.kind} ${row.span.service} ${row.span.name}`;
    let way = step;
    for (let nth = 2; found.has(way); nth++) way = `${step} #${nth}`;
    ways.set(row, way);
    const time = row.critical.reduce((sum, [from, to]) => sum + to - from, 0) / 1e6;
    found.set(way, { label: `${row.span.service} ${row.span.kind.toLowerCase()} ${row.span.name}`, time });
  }
  return found;
}

function median(values: number[]): number {
  const sorted = values.toSorted((one, other) => one - other);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

function compare(here: Row[], others: Row[][]): Step[] {
  const [own, theirs] = [steps(here), others.map(steps)];
  const all = new Map<string, string>();
  for (const of of [own, ...theirs]) for (const [way, { label }] of of) all.set(way, label);
  const result = [...all].map(([way, label]) => ({
    label,
    here: own.get(way)?.time ?? 0,
    usual: median(theirs.map((of) => of.get(way)?.time ?? 0)),
  }));
  return result.sort((one, other) => Math.abs(other.here - other.usual) - Math.abs(one.here - one.usual));
}

export function Compare({ trace, root }: { trace: Trace; root: Span }) {
  const [found, set] = useState<{ steps: Step[]; others: number; usual: number } | string | null>(null);
  useEffect(() => {
    const stop = new AbortController();
    const work = async () => {
      const query = tracesAt({ service: root.service, name: root.name, limit: 5 * OTHERS }).slice("#/traces".length);
      const { traces } = await ask<Findings>(`/ui/traces${query}`, stop.signal);
      const like = traces.filter((it) => it.id !== trace.id && it.service === root.service && it.name === root.name).slice(0, OTHERS);
      if (like.length < 3) return set("There are fewer than three other traces of this route to compare with.");
      const others: Row[][] = [];
      for (const { id } of like) others.push(rows((await ask<Trace>(`/ui/trace/${id}`, stop.signal)).spans));
      set({ steps: compare(rows(trace.spans), others), others: like.length, usual: median(like.map((it) => it.duration)) });
    };
    work().catch((error) => !stop.signal.aborted && set(String(error.message ?? error)));
    return () => stop.abort();
  }, [trace.id]);
  if (found === null) return <p class="dim">Looking at others of this route…</p>;
  if (typeof found === "string") return <p class="note">{found}</p>;
  const whole = Math.max(...trace.spans.map((span) => span.start + span.duration)) / 1e6;
  const most = Math.max(...found.steps.map((step) => Math.max(step.here, step.usual)));
  return (
    <section class="panel" aria-label="Comparison">
      <p>
        This one took <b>{duration(whole)}</b>, the median of {count(found.others, "other")} of this route <b>{duration(found.usual)}</b>. What each step added to the critical
        path, those that differ most first:
      </p>
      <div class="scroll">
        <table class="compare">
          <thead>
            <tr>
              <th>Step</th>
              <th class="number">here</th>
              <th class="number">usually</th>
              <th class="number">difference</th>
              <th class="wide" />
            </tr>
          </thead>
          <tbody>
            {found.steps.slice(0, STEPS).map((step) => {
              const more = step.here - step.usual;
              return (
                <tr>
                  <td>{plain(step.label)}</td>
                  <td class="number">{duration(step.here)}</td>
                  <td class="number">{duration(step.usual)}</td>
                  <td class={`number ${more > 0.1 * whole ? "bad" : ""}`}>{`${more < 0 ? "−" : "+"}${duration(Math.abs(more))}`}</td>
                  <td class="wide">
                    <i class="c0" style={{ width: `${(100 * step.here) / most}%` }} />
                    <i class="c7" style={{ width: `${(100 * step.usual) / most}%` }} />
                  </td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
    </section>
  );
}
