// Traces of a file: OTLP JSON, Zipkin's list or Jaeger's answer. Nothing of it leaves the browser.
import { useState } from "preact/hooks";
import type { Pairs, Scalar, Span, Trace } from "./api";
import { count, duration } from "./format";
import { Waterfall } from "./trace";

// What comes from a file may have any shape.
type Any = any; // eslint-disable-line

const list = (value: Any): Any[] => (Array.isArray(value) ? value : []);
const text = (value: Any): string => (value === undefined || value === null ? "" : String(value));

interface Timed extends Span {
  trace: string;
  /** Nanoseconds since the epoch; beyond what numbers hold exactly. */
  at: bigint;
}

function whole(value: Any): bigint {
  try {
    return BigInt(typeof value === "number" ? Math.round(value) : text(value) || 0);
  } catch {
    return 0n;
  }
}

function hex(id: Any, digits: number): string {
  const given = text(id);
  // Protocol Buffers' own JSON has bytes by base64.
  const coded = /^[0-9a-f]*$/i.test(given) ? given : [...atob(given)].map((it) => it.charCodeAt(0).toString(16).padStart(2, "0")).join("");
  return coded.toLowerCase().padStart(digits, "0");
}

function value(of: Any): Scalar {
  if (of === null || typeof of !== "object") return typeof of === "boolean" || typeof of === "number" ? of : text(of);
  if ("intValue" in of) return text(of.intValue);
  if ("arrayValue" in of) return list(of.arrayValue?.values).map((it) => text(value(it)));
  for (const kind of ["stringValue", "boolValue", "doubleValue"]) if (kind in of) return value(of[kind]);
  return JSON.stringify(of);
}

const pairs = (of: Any): Pairs => list(of).map((it) => [text(it?.key), value(it?.value)]);
const find = (of: Pairs, key: string) => of.find(([name]) => name === key)?.[1];

function empty(): Timed {
  return {
    trace: "", at: 0n, id: "", parent: null, kind: "INTERNAL", service: "unknown", name: "", start: 0, duration: 0,
    error: false, description: null, peer: null, attributes: [], resource: [], events: [], links: [],
  };
}

function otlp(document: Any): Timed[] {
  const kinds = ["INTERNAL", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"];
  return list(document.resourceSpans).flatMap((group) => {
    const resource = pairs(group?.resource?.attributes);
    const service = text(find(resource, "service.name") ?? "unknown");
    return list(group?.scopeSpans).flatMap((scope) => list(scope?.spans)).map((it) => {
      const at = whole(it.startTimeUnixNano);
      const attributes = pairs(it.attributes);
      const kind = typeof it.kind === "string" ? it.kind.replace("SPAN_KIND_", "") : (kinds[it.kind] ?? "INTERNAL");
      const code = it.status?.code;
      return {
        ...empty(), trace: hex(it.traceId, 32), at, id: hex(it.spanId, 16),
        parent: it.parentSpanId ? hex(it.parentSpanId, 16) : null, kind, service, name: text(it.name),
        duration: Number(whole(it.endTimeUnixNano) - at), error: code === 2 || code === "STATUS_CODE_ERROR",
        description: it.status?.message || null, peer: find(attributes, "peer.service") as string ?? null, attributes, resource,
        events: list(it.events).map((event) => ({ time: Number(whole(event.timeUnixNano) - at), name: text(event.name), attributes: pairs(event.attributes) })),
        links: list(it.links).map((link) => ({ trace: hex(link.traceId, 32), span: hex(link.spanId, 16), attributes: pairs(link.attributes) })),
      };
    });
  });
}

function zipkin(document: Any[]): Timed[] {
  return document.flat().map((it) => {
    const at = whole(it.timestamp) * 1000n;
    const tags = Object.entries(it.tags ?? {}) as Pairs;
    return {
      ...empty(), trace: hex(it.traceId, 32), at, id: hex(it.id, 16), parent: it.parentId ? hex(it.parentId, 16) : null,
      kind: it.kind ?? "INTERNAL", service: it.localEndpoint?.serviceName || "unknown", name: text(it.name),
      duration: Number(it.duration ?? 0) * 1000, error: "error" in (it.tags ?? {}), peer: it.remoteEndpoint?.serviceName ?? null, attributes: tags,
      events: list(it.annotations).map((note) => ({ time: Number(whole(note.timestamp) * 1000n - at), name: text(note.value), attributes: [] })),
    };
  });
}

function jaeger(document: Any): Timed[] {
  return list(document.data).flatMap((trace) =>
    list(trace?.spans).map((it) => {
      const at = whole(it.startTime) * 1000n;
      const process = trace.processes?.[it.processID] ?? it.process ?? {};
      const attributes = pairs(it.tags);
      const above = list(it.references).find((to) => to.refType === "CHILD_OF");
      return {
        ...empty(), trace: hex(it.traceID, 32), at, id: hex(it.spanID, 16), parent: above ? hex(above.spanID, 16) : null,
        kind: text(find(attributes, "span.kind") ?? "internal").toUpperCase(), service: text(process.serviceName ?? "unknown"), name: text(it.operationName),
        duration: Number(it.duration ?? 0) * 1000, error: text(find(attributes, "error")) === "true", attributes, resource: pairs(process.tags),
        events: list(it.logs).map((log) => ({ time: Number(whole(log.timestamp) * 1000n - at), name: text(find(pairs(log.fields), "event") ?? "log"), attributes: pairs(log.fields) })),
      };
    }),
  );
}

/** One document, or one a line as the tracer's own files have it. */
function parse(content: string): Timed[] {
  let documents: Any[];
  try {
    documents = [JSON.parse(content)];
  } catch {
    documents = content.split("\n").filter((line) => line.trim()).map((line) => JSON.parse(line));
  }
  return documents.flatMap((it) => (Array.isArray(it) ? zipkin(it) : it?.resourceSpans ? otlp(it) : it?.data ? jaeger(it) : []));
}

export function traces(content: string): Trace[] {
  const byTrace = Map.groupBy(parse(content).filter((span) => span.id), (span) => span.trace);
  return [...byTrace].map(([id, spans]) => {
    const begin = spans.reduce((least, span) => (span.at < least ? span.at : least), spans[0]!.at);
    const told = spans.map(({ trace: _, at, ...span }) => {
      const start = Number(at - begin);
      return { ...span, start, duration: Math.max(0, span.duration), events: span.events.map((event) => ({ ...event, time: event.time + start })) };
    });
    return { id, start: Number(begin / 1000n) / 1000, spans: told, left_out: 0 };
  });
}

const MAX = 64 << 20;

export function FileView() {
  const [found, set] = useState<Trace[] | string>([]);
  const [shown, show] = useState<string | null>(null);
  const [chosen, choose] = useState<string | null>(null);
  const read = async (file: File | undefined) => {
    if (!file) return;
    show(null);
    if (file.size > MAX) return set("The file is larger than 64 MiB.");
    try {
      const read = traces(await file.text());
      set(read.length ? read : "There are no spans in it: OTLP JSON, Zipkin's list (v2) and Jaeger's answer are understood.");
      if (read.length === 1) show(read[0]!.id);
    } catch {
      set("It is not JSON.");
    }
  };
  const trace = typeof found === "string" ? undefined : found.find((it) => it.id === shown);
  return (
    <>
      <div class="bar">
        <h1>Traces of a file</h1>
        <span class="spring" />
        <input type="file" aria-label="File" accept=".json,.jsonl,application/json" onChange={(event) => read(event.currentTarget.files?.[0])} />
      </div>
      <p class="dim">OTLP JSON, Zipkin's or Jaeger's, as this page and those backends write it. The file stays in the browser.</p>
      {typeof found === "string" && <p class="note" role="alert">{found}</p>}
      {typeof found !== "string" && found.length > 1 && (
        <label>
          <select value={shown ?? ""} onChange={(event) => show(event.currentTarget.value)}>
            <option value="">{count(found.length, "trace")}: choose one</option>
            {found.slice(0, 1000).map((it) => (
              <option value={it.id}>
                {it.id.slice(0, 8)} {it.spans[0]!.service} {it.spans[0]!.name}, {count(it.spans.length, "span")}, {duration(Math.max(...it.spans.map((span) => span.start + span.duration)) / 1e6)}
              </option>
            ))}
          </select>
        </label>
      )}
      {trace && <Waterfall key={trace.id} trace={trace} chosen={chosen} choose={choose} />}
    </>
  );
}
