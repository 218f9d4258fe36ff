// Why there is nothing to see, for people who have just started the tracer.
import type { State } from "./api";
import { count, span } from "./format";

export function Empty({ state }: { state: State | null }) {
  if (!state) return <p class="empty">Asking the tracer…</p>;
  return (
    <div class="empty">
      <h2>No requests yet</h2>
      <p>{why(state)}</p>
      <p class="dim">
        Requests appear here about a second after they are answered. To see one now: <code>curl http://127.0.0.1:PORT/</code> with the port of any HTTP
        service of this host. <code>tracer doctor</code> lists the services.
      </p>
    </div>
  );
}

function why(state: State): string {
  const since = `in the ${span(state.uptime)} since the tracer started`;
  if (!state.live) return "The tracer is not tracing: its probes are not attached yet, or it is being stopped.";
  if (state.operations === 0) return `No process of this host has sent or received anything on a socket ${since}.`;
  if (state.left_out > 0) return `${count(state.left_out, "request")} went to the tracer itself or were left out by --when-instrumented or --respect-sampled; there were no others.`;
  if (state.chosen) {
    return `Sockets were used ${count(state.operations, "time")} ${since}, but nothing of it was HTTP of the processes and ports that the flags or the configuration file choose${state.filtered ? ` (${count(state.filtered, "socket")} left out)` : ""}.`;
  }
  return `Sockets were used ${count(state.operations, "time")} ${since}, but no HTTP request was seen${state.not_http ? ` (${count(state.not_http, "socket")} spoke something else)` : ""}. Of what is in TLS, only that of OpenSSL can be read yet.`;
}
