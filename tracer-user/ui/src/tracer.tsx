// How the tracer itself is: what it saw, what it lost, where spans go.
import type { State } from "./api";
import { bytes, clock, count, day, plain, share, span } from "./format";
import { reason } from "./words";

export function TracerView({ state }: { state: State | null }) {
  if (!state) return <p class="empty">Asking the tracer…</p>;
  const losses = Object.entries(state.losses).filter(([, number]) => number > 0);
  const { held, sampling } = state;
  return (
    <>
      <div class="bar"><h1>Tracer on {plain(state.host)}</h1></div>
      <dl class="brief wide">
        <dt>State</dt>
        <dd>{state.live ? "tracing" : <b class="bad">not tracing: the probes are not attached, or the tracer is being stopped</b>}</dd>
        <dt>Running</dt>
        <dd>for {span(state.uptime)}, version {state.version}</dd>
        <dt>Seen</dt>
        <dd>
          {count(state.operations, "socket operation")}, of which {count(state.records, "event")} came to the tracer and became {count(state.spans, "span")}
        </dd>
        <dt>Left out</dt>
        <dd>
          {count(state.left_out, "request")} on purpose (the tracer's own; by --when-instrumented, --respect-sampled)
          {state.chosen && `; the flags or the file choose what is traced (${count(state.filtered, "socket")} left out)`}
        </dd>
        <dt>Kept</dt>
        <dd>
          {count(held.spans, "span")}, {bytes(held.bytes)} of at most {bytes(held.limit)} ({share(held.bytes, held.limit)}){" "}
          {held.lasting ? "on disk" : "in memory: they are gone when the tracer ends"}
          {held.oldest !== null && `; the oldest of ${day(held.oldest)} ${clock(held.oldest).slice(0, 8)}`}
          {held.trouble && <div class="bad">{plain(held.trouble)}</div>}
        </dd>
        {sampling && (sampling.chooses || sampling.left_out > 0) && (
          <>
            <dt>Sampled</dt>
            <dd>
              {sampling.chooses
                ? "Not all traces are kept at this time: failed ones, slow ones, and some of the others of each route (--sample). Rates count all."
                : "All traces are kept at this time."}{" "}
              Of those that could be chosen among, {count(sampling.failed + sampling.slow + sampling.rest, "trace")} kept ({sampling.failed} failed, {sampling.slow} slow,{" "}
              {sampling.rest} of the others), {count(sampling.left_out, "trace")} left out.
            </dd>
          </>
        )}
      </dl>
      <h2>Losses</h2>
      {losses.length === 0 ? (
        <p>Nothing was lost.</p>
      ) : (
        <table class="pairs">
          <tbody>
            {losses.map(([name, number]) => (
              <tr>
                <th scope="row">{name}</th>
                <td class="number">{number.toLocaleString("en-GB")}</td>
                <td>{reason(name)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <h2>Exports</h2>
      {state.exporters.length === 0 ? (
        <p>
          Spans go nowhere but to this page. <code>--export zipkin=URL</code>, <code>otlp=URL</code> or <code>jaeger=URL</code> sends them on.
        </p>
      ) : (
        <table class="pairs">
          <tbody>
            {state.exporters.map((it) => {
              const lost = it.dropped.reduce((sum, [, number]) => sum + number, 0);
              return (
                <tr class={lost > 0 || it.error ? "bad" : ""}>
                  <th scope="row">{plain(it.name)}</th>
                  <td>
                    {count(it.exported, "span")} sent, {it.waiting.toLocaleString("en-GB")} waiting
                    {it.dropped.map(([why, number]) => `, ${number.toLocaleString("en-GB")} lost (${why})`)}
                    {it.error && <div>Last trouble: {plain(it.error)}</div>}
                  </td>
                </tr>
              );
            })}
          </tbody>
        </table>
      )}
      <p class="dim">
        For Prometheus: <code>{location.origin}/metrics</code> with the header <code>Authorization: Bearer TOKEN</code>. Keys: <kbd>m</kbd> map, <kbd>t</kbd> traces,{" "}
        <kbd>s</kbd> status, <kbd>/</kbd> search, <kbd>↑</kbd> <kbd>↓</kbd> or <kbd>j</kbd> <kbd>k</kbd> in lists, <kbd>Enter</kbd> opens, <kbd>Esc</kbd> closes.
      </p>
    </>
  );
}
