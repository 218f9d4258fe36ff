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
  forward: "The call asks for just what one open request asks for, and this service was seen to pass on what it is asked.",
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
  response_unmatched: "Responses to requests that were not seen: mostly on connections that were open before the tracer started.",
  message_start_unseen: "A message began where nothing was copied: mostly on connections that were open before the tracer started.",
  messages_abandoned: "Requests whose responses could not be told from others, because bytes were not seen.",
  gap: "Operations on a connection are missing, and with them the place in its messages.",
  head_unseen: "A part of a message's head was not copied.",
  head_too_long: "A head is longer than --max-head; its beginning is shown.",
  too_many_headers: "A head has more fields than --max-headers; its beginning is shown.",
  too_many_pending: "More requests waited for their responses on one connection than are remembered.",
  request_head: "Bytes that had to be a request's head and are none.",
  response_head: "Bytes that had to be a response's head and are none.",
  content_length: "A Content-Length that is no number, or several that disagree.",
  transfer_encoding: "A request whose last transfer coding is not chunked.",
  chunk: "A malformed chunk of a body.",
  chunked_end_mistaken: "What looked like the end of a body was none; its size is not sure.",
  chunked_end_missed: "The end of a body was not seen; the next message showed it.",
  proxy_prefix: "A malformed PROXY protocol header.",
  h2_preface: "An HTTP/2 connection does not begin as one must.",
  h2_frame_header: "What had to be an HTTP/2 frame is none.",
  h2_frame_unseen: "An HTTP/2 frame's header was not seen.",
  h2_header_block_unseen: "Headers of an HTTP/2 stream were not seen.",
  h2_header_block_too_long: "An HTTP/2 head is longer than --max-head, or has more fields than --max-headers.",
  h2_header_block: "HTTP/2 headers that are malformed.",
  h2_field_unknown: "Headers stand in HTTP/2's table from before the tracer started; they are left out.",
  h2_stream_unknown: "Frames of HTTP/2 streams whose beginning was not seen.",
  h2_too_many_streams: "More HTTP/2 streams were open on one connection than are remembered.",
  websocket_frame: "What had to be a WebSocket frame is none; the messages of that side are not counted.",
  websocket_frame_unseen: "A WebSocket frame's header was not seen; the messages of that side are not counted.",
  connections_evicted: "More connections than --max-connections: the idle ones were forgotten, and are found again at their next message.",
  connections_full: "More connections were busy at once than --max-connections.",
  open_exchanges_full: "More requests were open at once than --max-open-exchanges.",
  pair_key_clashes: "Two connections could not be told apart; their ends are not joined.",
  context_headers_malformed: "Trace headers of requests are malformed, and were passed over.",
  context_headers_conflicting: "Trace headers of a request name different traces; the first format that is known decides.",
  no_buffer: "Operations whose bytes could not be found in memory.",
  page_fault: "Bytes that were not in memory when the probe looked.",
  tls_untied: "Plaintext of TLS sessions whose socket could not be told.",
  tls_no_scratch: "More TLS calls at once than the probe has room for.",
  sampling_queue_full: "Spans came faster than they could be chosen among.",
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
