// What the tracer answers below /ui; the shapes are those of src/serve/api.

export type Scalar = string | number | boolean | string[];
export type Pairs = [string, Scalar][];

export interface Red {
  requests: number;
  errors: number;
  rate: number;
  p50: number;
  p99: number;
}
export interface Route extends Red {
  name: string;
}
export interface Node extends Red {
  name: string;
  traced: boolean;
  routes: Route[];
}
export interface Call extends Red {
  from: string;
  to: string;
}
export interface ServiceMap {
  seconds: number;
  nodes: Node[];
  calls: Call[];
}
export interface Short {
  id: string;
  service: string;
  name: string;
  root: boolean;
  start: number;
  duration: number;
  spans: number;
  errors: number;
  services: [string, number][];
}
export interface Findings {
  traces: Short[];
  complete: boolean;
}
export interface Span {
  id: string;
  parent: string | null;
  kind: string;
  service: string;
  name: string;
  /** Nanoseconds from the trace's start. */
  start: number;
  duration: number;
  error: boolean;
  description: string | null;
  peer: string | null;
  attributes: Pairs;
  resource: Pairs;
  events: { time: number; name: string; attributes: Pairs }[];
  links: { trace: string; span: string; attributes: Pairs }[];
}
export interface Trace {
  id: string;
  start: number;
  spans: Span[];
  /** Later spans that there are besides. */
  left_out: number;
}
export interface State {
  version: string;
  host: string;
  uptime: number;
  live: boolean;
  spans: number;
  records: number;
  operations: number;
  not_http: number;
  filtered: number;
  chosen: boolean;
  losses: Record<string, number>;
  left_out: number;
  exporters: {
    name: string;
    exported: number;
    waiting: number;
    dropped: [string, number][];
    error: string | null;
  }[];
  held: { spans: number; bytes: number; limit: number; oldest: number | null; lasting: boolean; trouble: string | null };
  sampling: { chooses: boolean; failed: number; slow: number; rest: number; left_out: number } | null;
}
export interface Names {
  services: string[];
  names: string[];
}

/** What went wrong, in words for the one who looks. */
export class Trouble extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

export async function ask<T>(path: string, signal?: AbortSignal): Promise<T> {
  let response: Response;
  try {
    response = await fetch(path, { signal: signal ?? null });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Trouble(0, "The tracer does not answer. It may have been stopped.");
  }
  if (response.ok) return (await response.json()) as T;
  if (response.status === 401) {
    throw new Trouble(401, "The tracer was started anew or the token is gone: open the URL that it prints.");
  }
  throw new Trouble(response.status, (await response.text()).trim() || response.statusText);
}
