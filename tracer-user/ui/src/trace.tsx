// One trace as a waterfall.
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Span, Trace } from "./api";
import { Compare } from "./compare";
import { Details } from "./details";
import { clock, count, day, duration, plain } from "./format";
import { type Row, rows } from "./tree";
import { useAnswer } from "./use";
import { reason } from "./words";

/** Rows shown at first; more on demand, for there are traces of thousands of spans. */
const PAGE = 500;
const COLOURS = 8;

export function attribute(span: Span, key: string): string | undefined {
  const value = span.attributes.find(([name]) => name === key)?.[1];
  return value === undefined ? undefined : String(value);
}

export function TraceView({ id, chosen }: { id: string; chosen: string | null }) {
  // Spans of one trace come over some seconds; what has been asked for twice that long is whole.
  const [asked, again] = useState(0);
  const { data: trace, trouble, status } = useAnswer<Trace>(`/ui/trace/${encodeURIComponent(id)}?again=${asked}`, 0);
  const kept = useRef<Trace | null>(null);
  if (trace) kept.current = trace;
  useEffect(() => {
    if (asked > 5) return;
    const timer = window.setTimeout(() => again(asked + 1), 2000);
    return () => window.clearTimeout(timer);
  }, [asked]);
  const shown = trace ?? kept.current;
  const choose = (span: string | null) => {
    history.replaceState(null, "", span ? `#/trace/${id}?span=${span}` : `#/trace/${id}`);
    dispatchEvent(new HashChangeEvent("hashchange"));
  };
  if (shown) return <Waterfall trace={shown} chosen={chosen} choose={choose} held />;
  if (status === 404) {
    return (
      <div class="empty">
        <h2>No such trace</h2>
        <p>{plain(id)} is not held: it has not come yet, or it was too old to keep.</p>
        <p><a href="#/traces">The traces that are held</a></p>
      </div>
    );
  }
  return <p class="empty">{trouble ?? "Asking the tracer…"}</p>;
}

interface WaterfallProps {
  trace: Trace;
  chosen: string | null;
  choose: (span: string | null) => void;
  /** The tracer has it, too. */
  held?: boolean;
}

export function Waterfall({ trace, chosen, choose, held }: WaterfallProps) {
  const [comparing, compare] = useState(false);
  const [limit, more] = useState(PAGE);
  const all = useMemo(() => rows(trace.spans), [trace]);
  const whole = Math.max(1, ...trace.spans.map((span) => span.start + span.duration));
  const services = useMemo(() => [...new Set(all.map((row) => row.span.service))], [all]);
  const colour = (service: string) => services.indexOf(service) % COLOURS;
  const root = all[0]?.span;
  const errors = trace.spans.filter((span) => span.error).length;
  const orphans = all.filter((row) => row.orphan).length;
  const open = all.find((row) => row.span.id === chosen) ?? null;
  const keys = (event: KeyboardEvent) => {
    if (event.key === "Escape") return choose(null);
    const step = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const list = [...(event.currentTarget as HTMLElement).querySelectorAll<HTMLElement>(".row")];
    list[list.indexOf(document.activeElement as HTMLElement) + step]?.focus();
  };
  const missing = [...new Set(trace.spans.flatMap((span) => (attribute(span, "tracer.trace.incomplete") ?? attribute(span, "tracer.incomplete") ?? "").split(/[,;\s]+/)))].filter(Boolean);
  return (
    <>
      <div class="bar">
        <h1 class="long">{root ? `${plain(root.service)}: ${plain(root.name)}` : "Trace"}</h1>
        <span class="spring" />
        {held && (
          <>
            {root && <button class="button" aria-pressed={comparing} onClick={() => compare(!comparing)}>Compare with usual</button>}
            <Copy text={() => `${location.origin}/#/trace/${trace.id}`} label="Copy link" />
            <span class="dim">save as</span>
            <a class="button" href={`/ui/trace/${trace.id}/otlp`} download>OTLP</a>
            <a class="button" href={`/ui/trace/${trace.id}/zipkin`} download>Zipkin</a>
            <a class="button" href={`/api/traces/${trace.id}`} download={`${trace.id}.jaeger.json`}>Jaeger</a>
          </>
        )}
      </div>
      <p class="facts">
        <span><b>{duration(whole / 1e6)}</b></span>
        <span title={day(trace.start)}>{day(trace.start)} {clock(trace.start)}</span>
        <span>{count(trace.spans.length, "span")}</span>
        <span>{count(services.length, "service")}</span>
        {errors > 0 && <span class="bad">{count(errors, "error")}</span>}
        <span class="dim id">{trace.id}</span>
      </p>
      {comparing && root && <Compare trace={trace} root={root} />}
      {missing.length > 0 && (
        <ul class="note">
          {missing.map((name) => <li>{reason(name)}</li>)}
        </ul>
      )}
      {trace.left_out > 0 && <p class="note">{count(trace.left_out, "later span")} of this trace more than can be shown at once.</p>}
      {orphans > 0 && (
        <p class="note">
          {count(orphans, "span names a parent that was", "spans name parents that were")} not seen here: of a service on another host, one that traces
          itself and sends its spans elsewhere, or one that is left out.
        </p>
      )}
      <div class="legend">
        {services.map((service) => (
          <span><i class={`c${colour(service)}`} />{plain(service)}</span>
        ))}
        <span class="dim"><i class="path" />critical path: what the whole waited for</span>
      </div>
      <div class="waterfall" role="tree" aria-label="Spans" onKeyDown={keys}>
        <Axis whole={whole} />
        {all.slice(0, limit).map((row) => (
          <Line key={`${row.span.id} ${row.span.kind}`} row={row} whole={whole} colour={colour(row.span.service)} chosen={row === open} choose={choose}>
            {row === open && <Details row={row} />}
          </Line>
        ))}
      </div>
      {all.length > limit && <button class="button" onClick={() => more(limit + PAGE)}>Show more of {count(all.length, "span")}</button>}
    </>
  );
}

function Axis({ whole }: { whole: number }) {
  return (
    <div class="axis" aria-hidden="true">
      <span />
      <span>{[0, 0.25, 0.5, 0.75, 1].map((it) => <i>{duration((whole * it) / 1e6)}</i>)}</span>
    </div>
  );
}

interface LineProps {
  row: Row;
  whole: number;
  colour: number;
  chosen: boolean;
  choose: (span: string | null) => void;
  children: preact.ComponentChildren;
}

function Line({ row, whole, colour, chosen, choose, children }: LineProps) {
  const { span } = row;
  const code = attribute(span, "http.response.status_code");
  const percent = (ns: number) => `${(100 * ns) / whole}%`;
  const press = () => choose(chosen ? null : span.id);
  const side = { left: percent(Math.min(whole, span.start + span.duration)) };
  const confidence = Number(attribute(span, "tracer.parent.confidence") ?? 1);
  return (
    <>
      <div
        class={`row ${chosen ? "chosen" : ""} ${span.error ? "bad" : ""}`}
        role="treeitem"
        aria-level={row.depth + 1}
        aria-expanded={chosen}
        tabIndex={0}
        onClick={press}
        onKeyDown={(event) => {
          if (event.key === "Enter" || event.key === " ") {
            event.preventDefault();
            press();
          }
        }}
      >
        <span class="label" style={{ paddingLeft: `${Math.min(row.depth, 24) * 14 + 6}px` }}>
          {row.orphan && <em class="mark" title="Its parent was not seen here">⇠</em>}
          {confidence < 0.99 && <em class="mark" title={`Its parent is ${(100 * confidence).toFixed(0)} % sure`}>~</em>}
          <b>{plain(span.service)}</b> <small>{span.kind.toLowerCase()}</small> {plain(span.name)}
          {code && <code class={span.error ? "bad" : ""}>{code}</code>}
        </span>
        <span class="track">
          <i class={`c${colour}`} style={{ left: percent(span.start), width: percent(span.duration) }} />
          {row.critical.map(([from, to]) => (
            <i class="path" style={{ left: percent(from), width: percent(to - from) }} />
          ))}
          {span.events.map((event) => (
            <i class="event" title={plain(event.name)} style={{ left: percent(Math.min(whole, Math.max(0, event.time))) }} />
          ))}
          <small style={side}>{duration(span.duration / 1e6)}</small>
        </span>
      </div>
      {children}
    </>
  );
}

export function Copy({ text, label }: { text: () => string; label: string }) {
  const [done, set] = useState(false);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text());
    } catch {
      // Only pages from loopback or by https may write there.
      prompt("Copy this:", text());
    }
    set(true);
    window.setTimeout(() => set(false), 1500);
  };
  return <button class="button" onClick={copy}>{done ? "Copied" : label}</button>;
}
