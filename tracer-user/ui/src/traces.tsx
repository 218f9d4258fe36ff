// The last traces, and the search for others.
import { useEffect, useRef, useState } from "preact/hooks";
import type { Findings, Names, ServiceMap, Short, State } from "./api";
import { Empty } from "./empty";
import { ago, clock, count, day, duration, plain } from "./format";
import { Histogram } from "./histogram";
import { tracesAt, useAnswer } from "./use";

const LIMIT = 200;

function number(text: string | null): number | undefined {
  const value = Number(text ?? "");
  return text && Number.isFinite(value) && value >= 0 ? value : undefined;
}

export function TracesView({ search, state }: { search: URLSearchParams; state: State | null }) {
  const [paused, pause] = useState(false);
  const fields = {
    text: search.get("text") ?? "",
    service: search.get("service") ?? "",
    name: search.get("name") ?? "",
    status: search.get("status") ?? "",
    min: number(search.get("min")),
    max: number(search.get("max")),
    errors: search.get("errors") === "true",
    since: number(search.get("since")),
  };
  const change = (changes: Partial<typeof fields>) => {
    location.hash = tracesAt({ ...fields, ...changes });
  };
  // Whole minutes, so that the question stays the same for a while.
  const from = fields.since && Math.floor(Date.now() / 60_000 - fields.since) * 60_000;
  const { since: _, ...asked } = fields;
  const query = tracesAt({ ...asked, from, limit: LIMIT }).slice("#/traces".length);
  const { data: found, trouble } = useAnswer<Findings>(`/ui/traces${query}`, paused ? 0 : 2000);
  const { data: map } = useAnswer<ServiceMap>("/ui/map?seconds=300", 10_000);
  const { data: names } = useAnswer<Names>(`/ui/names?service=${encodeURIComponent(fields.service)}`, 30_000);
  // What is held, and what comes just now.
  const nodes = (map?.nodes ?? []).filter((it) => it.traced && it.requests > 0);
  const services = merged(names?.services, nodes.map((it) => it.name));
  const live = nodes.filter((it) => !fields.service || it.name === fields.service).flatMap((it) => it.routes.map((route) => route.name));
  const routes = merged(names?.names, live);
  const traces = found?.traces ?? [];
  const filtered = Object.values(fields).some((value) => value !== "" && value !== false && value !== undefined);
  return (
    <>
      <div class="bar">
        <h1>Traces</h1>
        <span class="spring" />
        <a class="button" href="#/file">Open a file</a>
        <button class="button" aria-pressed={paused} onClick={() => pause(!paused)}>{paused ? "▶ Go on" : "❚❚ Hold"}</button>
      </div>
      <form class="search" role="search" onSubmit={(event) => event.preventDefault()}>
        <Text id="search" label="Words or trace id" placeholder="words, trace id  ( / )" value={fields.text} change={(text) => isId(text) ? (location.hash = `#/trace/${text.trim()}`) : change({ text })} />
        <Text label="Service" list={services} value={fields.service} change={(service) => change({ service })} />
        <Text label="Route" list={routes} value={fields.name} change={(name) => change({ name })} />
        <Text label="Status" numeric placeholder="503" value={fields.status} change={(status) => change({ status })} />
        <Text label="At least (ms)" numeric value={String(fields.min ?? "")} change={(text) => change({ min: number(text) })} />
        <Text label="At most (ms)" numeric value={String(fields.max ?? "")} change={(text) => change({ max: number(text) })} />
        <label class="field">
          <span>Time</span>
          <select value={fields.since ?? ""} onChange={(event) => change({ since: number(event.currentTarget.value) })}>
            <option value="">any</option>
            <option value="5">last 5 minutes</option>
            <option value="60">last hour</option>
            <option value="1440">last day</option>
          </select>
        </label>
        <label class="check">
          <input type="checkbox" checked={fields.errors} onChange={(event) => change({ errors: event.currentTarget.checked })} /> errors only
        </label>
        {filtered && <a class="button" href="#/traces">Clear</a>}
      </form>
      {trouble && !found && <p class="empty">{trouble}</p>}
      <Histogram traces={traces} range={fields} choose={(min, max) => change({ min, max })} />
      {found && traces.length === 0 && (filtered ? <p class="empty">No trace fits. <a href="#/traces">Show all</a></p> : <Empty state={state} />)}
      {traces.length > 0 && (
        <p class="dim">
          {count(traces.length, "trace")}
          {traces.length === LIMIT ? ", the newest that fit" : ""}
          {state?.sampling?.chooses ? "; not all are kept at this time" : ""}
          {found?.complete === false ? "; the search took too long, older ones may be missing" : ""}
        </p>
      )}
      <List traces={traces} />
    </>
  );
}

function merged(held: string[] | undefined, live: string[]): string[] {
  return [...new Set([...(held ?? []), ...live])].sort();
}

function isId(text: string): boolean {
  return /^\s*([0-9a-f]{32}|[0-9a-f]{16})\s*$/i.test(text);
}

interface Field {
  id?: string;
  label: string;
  value: string;
  placeholder?: string;
  list?: string[];
  numeric?: boolean;
  change: (text: string) => void;
}

/** Tells what was typed when a moment has passed. */
function Text(field: Field) {
  const [text, set] = useState(field.value);
  const timer = useRef(0);
  useEffect(() => set(field.value), [field.value]);
  const list = field.list && `list-${field.label}`;
  return (
    <label class={`field ${field.numeric ? "short" : ""}`}>
      <span>{field.label}</span>
      <input
        id={field.id}
        value={text}
        placeholder={field.placeholder}
        inputMode={field.numeric ? "decimal" : "search"}
        autoComplete="off"
        spellcheck={false}
        list={list}
        onInput={(event) => {
          const typed = event.currentTarget.value;
          set(typed);
          window.clearTimeout(timer.current);
          timer.current = window.setTimeout(() => field.change(typed), 300);
        }}
        onKeyDown={(event) => {
          if (event.key !== "Enter") return;
          window.clearTimeout(timer.current);
          field.change(event.currentTarget.value);
        }}
      />
      {list && <datalist id={list}>{field.list!.map((it) => <option value={it} />)}</datalist>}
    </label>
  );
}

function List({ traces }: { traces: Short[] }) {
  const slowest = Math.max(...traces.map((it) => it.duration));
  const keys = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const links = [...(event.currentTarget as HTMLElement).querySelectorAll<HTMLElement>("a")];
    links[links.indexOf(document.activeElement as HTMLElement) + step]?.focus();
  };
  return (
    <ol class="traces" onKeyDown={keys}>
      {traces.map((trace) => (
        <li key={trace.id}>
          <a href={`#/trace/${trace.id}`} class={trace.errors ? "bad" : ""}>
            <span class="what">
              <b>{plain(trace.service)}</b> {plain(trace.name)}
              {!trace.root && <em title="Its first span has a parent that was not seen here"> part</em>}
            </span>
            <span class="when" title={`${day(trace.start)} ${clock(trace.start)}`}>{ago(trace.start)}</span>
            <span class="took">
              <i style={{ width: `${Math.max(0.5, (100 * trace.duration) / slowest)}%` }} />
              <span>{duration(trace.duration)}</span>
            </span>
            <span class="who">
              {count(trace.spans, "span")}
              {trace.errors > 0 && <strong> {count(trace.errors, "error")}</strong>}
              <span class="dim"> {trace.services.map(([name]) => plain(name)).join(", ")}</span>
            </span>
          </a>
        </li>
      ))}
    </ol>
  );
}
