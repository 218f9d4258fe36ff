// What the tracer's own attributes mean, in sentences.

/** How a call was joined to the request that caused it: tracer.parent.method. */
export const METHODS: Record<string, string> = {
  pair: "Both ends of one connection: the caller sent the very bytes that this service read.",
  header: "The request carries a trace context in its headers that names this parent.",
  context:
    "The flow of execution that asks for the call (goroutine, task, Python context, promise, future or thread) is the one that read the request or answers it.",
  correlation: "The call carries the request id that only one open request brought.",
  thread: "The thread that read the request makes the call, and read no other request before it answered.",
  answer: "The thread that makes the call was given the request: what it answers next is that request.",
  handoff: "A thread makes the call for another one, which read the request and handed on the work.",
  spawn: "A thread makes the call that was started for the request.",
  turn: "An event loop writes the call in the turn in which it read the request or the response before.",
  queue: "An event loop read everything that had come; this was the oldest thing it had not acted on.",
  alone: "The process was answering this request and no other.",
  timing: "The order and the gaps in which this route usually makes its calls: a weighing of all possibilities.",
};

export function method(name: string): string {
  return METHODS[name] ?? `Joined by: ${name}.`;
}

/** A share from 0 to 1. */
export function sure(confidence: number): string {
  if (confidence >= 0.9999) return "certain";
  return `${(confidence * 100).toFixed(confidence >= 0.99 ? 2 : 1)} % sure`;
}

/** Why something may be missing: tracer.incomplete, and names of losses. */
const REASONS: Record<string, string> = {
  bytes_lost: "Bytes of the exchange were not seen.",
  head_cut: "A head is longer than --max-head, or has more fields than --max-headers; its beginning is shown.",
  message_malformed: "A message is not what it says that it is, and was not followed to its end.",
  connection_closed: "The connection was closed before the exchange was over.",
  protocol_left: "The connection went on in another protocol.",
  tracer_stopped: "The tracer was stopped before the exchange was over.",
  ring_full: "The tracer did not keep up: records were lost while this was open, so calls may be missing. A larger --ring-size helps, or tracing less.",
  table_full: "Too much was open at once (--max-open-exchanges, --max-connections): calls may be missing.",
  clock_step: "The wall clock was set meanwhile; times are by the clock before. Nothing is missing.",
  no_storage: "The kernel had no memory for a socket's state.",
  late_evidence: "Evidence came after its span had left (--settle, --max-hold).",
  trace_conflicts: "Two traces claimed the same request; one is kept as a link.",
  clock_steps: "The wall clock was set. Nothing is missing.",
  routes_folded: "A service has more routes than are told apart; these have a coarser one.",
  calls_not_weighed: "Too many calls at once for timing to be weighed; they may lack their parents.",
  metrics_queue_full: "More spans came than could be counted: the map and /metrics lack these.",
  store_queue_full: "More spans came than could be stored: traces lack these.",
  store_write_failed: "Spans could not be written: the disk is full, or broken.",
  store_unreadable: "Stored spans could not be read when they were needed.",
  store_set_aside: "Files that were damaged, or none of a store's, were renamed.",
  runtimes_overlooked: "Too many processes started at once to look at their runtimes; their calls may lack parents.",
  uprobes_unattached: "A probe could not be attached to a program; its calls may lack parents.",
};

export function reason(name: string): string {
  return REASONS[name] ?? name.replaceAll("_", " ");
}
