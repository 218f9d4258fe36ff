// Everything about one span.
import type { Pairs, Scalar } from "./api";
import { duration, plain } from "./format";
import { attribute, Copy } from "./trace";
import type { Row } from "./tree";
import { method, reason, sure } from "./words";

export function Details({ row }: { row: Row }) {
  const { span } = row;
  const how = attribute(span, "tracer.parent.method");
  const confidence = attribute(span, "tracer.parent.confidence");
  const incomplete = (attribute(span, "tracer.incomplete") ?? "").split(/[,;\s]+/).filter(Boolean);
  const own = row.critical.reduce((sum, [from, to]) => sum + to - from, 0);
  return (
    <section class="details" aria-label={`Span ${span.id}`}>
      <dl class="brief">
        <dt>Starts</dt>
        <dd>{duration(span.start / 1e6)} after the trace</dd>
        <dt>Takes</dt>
        <dd>
          {duration(span.duration / 1e6)}
          {own > 0 && `, ${duration(own / 1e6)} of it on the critical path`}
        </dd>
        <dt>Parent</dt>
        <dd>{parent(row, how, confidence)}</dd>
        {span.peer && (
          <>
            <dt>Other end</dt>
            <dd>{plain(span.peer)}</dd>
          </>
        )}
        {span.description && (
          <>
            <dt>Error</dt>
            <dd>{plain(span.description)}</dd>
          </>
        )}
        {incomplete.length > 0 && (
          <>
            <dt>Missing</dt>
            <dd>{incomplete.map(reason).join(" ")}</dd>
          </>
        )}
        <dt>Span id</dt>
        <dd><code>{span.id}</code> <Copy text={() => location.href} label="Copy link to this span" /></dd>
      </dl>
      <Table title="Attributes" pairs={span.attributes} />
      {span.events.map((event) => (
        <Table title={`${plain(event.name)}, ${duration((event.time - span.start) / 1e6)} after its start`} pairs={event.attributes} />
      ))}
      {span.links.map((link) => (
        <p>
          Linked: <a href={`#/trace/${link.trace}?span=${link.span}`}><code>{link.trace}</code></a> {link.attributes.map(([, value]) => show(value)).join(", ")}
        </p>
      ))}
      <Table title="Process" pairs={span.resource} />
    </section>
  );
}

function parent({ span, orphan }: Row, how: string | undefined, confidence: string | undefined): string {
  if (span.parent === null) {
    return span.kind === "CLIENT"
      ? "None: no request of this process was found that caused it, or it began here."
      : "None: it came from outside, or from a caller that is not traced.";
  }
  const missing = orphan ? " The parent itself was not seen here." : "";
  if (!how) return `As the service itself says.${missing}`;
  return `${method(how)} ${how === "pair" ? "" : `(${how}${confidence === undefined ? "" : `, ${sure(Number(confidence))}`})`}${missing}`;
}

function show(value: Scalar): string {
  return plain(Array.isArray(value) ? value.join(", ") : String(value));
}

function Table({ title, pairs }: { title: string; pairs: Pairs }) {
  if (pairs.length === 0) return null;
  return (
    <table class="pairs">
      <caption>{title}</caption>
      <tbody>
        {[...pairs].sort(([one], [other]) => (one < other ? -1 : 1)).map(([key, value]) => (
          <tr>
            <th scope="row">{plain(key)}</th>
            <td>{show(value)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
