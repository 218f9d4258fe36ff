// The services and their calls of the last minutes.
import { useEffect, useMemo, useState } from "preact/hooks";
import type { Call, Node, Red, ServiceMap, State } from "./api";
import { Empty } from "./empty";
import { duration, plain, rate, share } from "./format";
import { layout, NODE } from "./layout";
import { tracesAt, useAnswer, useWidth } from "./use";

const WINDOWS = [30, 60, 300];

export function MapView({ state }: { state: State | null }) {
  const [seconds, setSeconds] = useState(60);
  const [chosen, choose] = useState<string | null>(null);
  const { data: map, trouble } = useAnswer<ServiceMap>(`/ui/map?seconds=${seconds}`, 1000);
  useEffect(() => {
    const key = (event: KeyboardEvent) => event.key === "Escape" && choose(null);
    addEventListener("keydown", key);
    return () => removeEventListener("keydown", key);
  }, []);
  if (!map) return trouble ? <p class="empty">{trouble}</p> : <p class="empty">Asking the tracer…</p>;
  const node = map.nodes.find((node) => node.name === chosen);
  return (
    <>
      <div class="bar">
        <h1>Services</h1>
        <span class="spring" />
        <label>
          of the last{" "}
          <select value={seconds} onChange={(event) => setSeconds(Number(event.currentTarget.value))}>
            {WINDOWS.map((it) => (
              <option value={it}>{it < 60 ? `${it} seconds` : it === 60 ? "minute" : `${it / 60} minutes`}</option>
            ))}
          </select>
        </label>
      </div>
      {map.nodes.length === 0 ? (
        state && state.spans > 0 ? (
          <div class="empty">
            <h2>Quiet</h2>
            <p>No requests of late. What was before is among the <a href="#/traces">traces</a>.</p>
          </div>
        ) : (
          <Empty state={state} />
        )
      ) : (
        <>
          <Drawing map={drawable(map)} chosen={chosen} choose={choose} />
          {map.nodes.length > DRAWN && <p class="dim">The {DRAWN} busiest of {map.nodes.length} are drawn; the table has all that answer.</p>}
          {node && <Details node={node} map={map} close={() => choose(null)} />}
          <Table nodes={map.nodes} choose={choose} chosen={chosen} />
        </>
      )}
    </>
  );
}

/** More cannot be told apart in a drawing. */
const DRAWN = 60;

function drawable(map: ServiceMap): ServiceMap {
  if (map.nodes.length <= DRAWN) return map;
  // One that only calls others is as busy as its calls.
  const busy = new Map<string, number>();
  for (const call of map.calls) for (const name of [call.from, call.to]) busy.set(name, (busy.get(name) ?? 0) + call.requests);
  const nodes = map.nodes.toSorted((one, other) => (busy.get(other.name) ?? 0) - (busy.get(one.name) ?? 0)).slice(0, DRAWN);
  const names = new Set(nodes.map((node) => node.name));
  return { ...map, nodes, calls: map.calls.filter((call) => names.has(call.from) && names.has(call.to)) };
}

/** How bad it is: 0 fine, 1 some errors, 2 many. */
export function health({ requests, errors }: Red): string {
  if (requests === 0 || errors === 0) return "";
  return errors / requests >= 0.05 ? "bad" : "warn";
}

function Drawing({ map, chosen, choose }: { map: ServiceMap; chosen: string | null; choose: (name: string | null) => void }) {
  const [element, width] = useWidth<HTMLDivElement>();
  const down = width > 0 && width < 640;
  // The drawing moves only when nodes or calls come and go.
  const shape = [down, ...map.nodes.map((it) => it.name), ...map.calls.map((it) => `${it.from}\n${it.to}`)].join("\r");
  const drawn = useMemo(() => layout(map, down), [shape]);
  const callsNow = new Map(map.calls.map((call) => [`${call.from}\n${call.to}`, call]));
  const slowest = Math.max(...map.nodes.filter((it) => it.traced).map((it) => it.p99));
  const label = `Service map: ${map.nodes.length} nodes, ${map.calls.length} kinds of calls. The table below says the same.`;
  const fit = Math.min(1, width > 0 ? width / drawn.width : 1);
  const scale = down ? Math.max(fit, 0.75) : Math.max(fit, 0.6);
  return (
    <div class="drawing" ref={element}>
      <svg width={drawn.width * scale} height={drawn.height * scale} viewBox={`0 0 ${drawn.width} ${drawn.height}`} role="group" aria-label={label}>
        <defs>
          <marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto" markerUnits="userSpaceOnUse">
            <path d="M0,0L8,4L0,8z" />
          </marker>
        </defs>
        {[...drawn.paths].map(([call, path]) => {
          const now = callsNow.get(`${call.from}\n${call.to}`) ?? call;
          const faded = chosen !== null && now.from !== chosen && now.to !== chosen;
          return (
            <g class={`edge ${health(now)} ${faded ? "faded" : ""}`} key={`${call.from}\n${call.to}`}>
              <title>{tip(now)}</title>
              <path class={now.rate > 0 ? "flow" : ""} d={path.line} stroke-width={1.2 + Math.min(4, Math.log10(1 + now.rate))} marker-end="url(#tip)" />
              <text x={path.label.x} y={path.label.y - 5}>{rate(now.rate)}</text>
            </g>
          );
        })}
        {map.nodes.map((node) => {
          const box = drawn.boxes.get(node.name);
          if (!box) return null;
          return <NodeBox key={node.name} node={node} box={box} chosen={node.name === chosen} slowest={slowest} choose={choose} />;
        })}
      </svg>
    </div>
  );
}

function NodeBox(it: { node: Node; box: { x: number; y: number }; chosen: boolean; slowest: number; choose: (name: string | null) => void }) {
  const { node, box } = it;
  const name = plain(node.name);
  const short = name.length > 21 ? `${name.slice(0, 20)}…` : name;
  const press = () => it.choose(it.chosen ? null : node.name);
  const kind = node.traced ? (node.requests ? health(node) : "calling") : `outside ${health(node)}`;
  // Whoever calls the slow one is slow, too: the whole chain shows.
  const slow = node.traced && node.p99 >= 0.8 * it.slowest && node.p99 > 0;
  return (
    <g
      class={`node ${kind} ${it.chosen ? "chosen" : ""}`}
      transform={`translate(${box.x - NODE.width / 2},${box.y - NODE.height / 2})`}
      role="button"
      tabIndex={0}
      aria-pressed={it.chosen}
      aria-label={`${name}, ${rate(node.rate)}, ${share(node.errors, node.requests)} errors`}
      onClick={press}
      onKeyDown={(event) => {
        if (event.key === "Enter" || event.key === " ") {
          event.preventDefault();
          press();
        }
      }}
    >
      <title>{name}</title>
      <rect width={NODE.width} height={NODE.height} rx="8" />
      <rect class="mark" width="5" height={NODE.height} rx="2.5" />
      <text class="name" x="14" y="20">{node.name === "user" && !node.traced ? "outside" : short}</text>
      {node.requests > 0 ? (
        <>
          <text class="fact" x="14" y="38">{rate(node.rate)}</text>
          <text class={`fact errors ${node.errors ? "some" : ""}`} x={NODE.width - 10} y="38">{node.errors ? `${share(node.errors, node.requests)} errors` : "no errors"}</text>
          <text class="fact" x="14" y="55">p50 {duration(node.p50)}</text>
          <text class={`fact right ${slow ? "slow" : ""}`} x={NODE.width - 10} y="55">p99 {duration(node.p99)}</text>
        </>
      ) : (
        <text class="fact" x="14" y="38">{node.traced ? "only calls others" : "callers that are not traced"}</text>
      )}
    </g>
  );
}

function tip(call: Call): string {
  const from = call.from === "user" ? "outside" : plain(call.from);
  return `${from} → ${plain(call.to)}: ${rate(call.rate)}, ${share(call.errors, call.requests)} errors, p50 ${duration(call.p50)}, p99 ${duration(call.p99)}`;
}

const HEADS = (
  <>
    <th class="number">Rate</th>
    <th class="number">Errors</th>
    <th class="number">p50</th>
    <th class="number">p99</th>
  </>
);

function Facts({ red }: { red: Red }) {
  return (
    <>
      <td class="number">{rate(red.rate)}</td>
      <td class={`number ${health(red)}`}>{share(red.errors, red.requests)}</td>
      <td class="number">{duration(red.p50)}</td>
      <td class="number">{duration(red.p99)}</td>
    </>
  );
}

function Table({ nodes, chosen, choose }: { nodes: Node[]; chosen: string | null; choose: (name: string) => void }) {
  const answering = nodes.filter((it) => it.requests > 0).sort((one, other) => other.requests - one.requests);
  return (
    <div class="scroll">
      <table>
        <thead>
          <tr><th>Service</th>{HEADS}</tr>
        </thead>
        <tbody>
          {answering.map((node) => (
            <tr key={node.name} class={node.name === chosen ? "chosen" : ""}>
              <td>
                <button class="link" onClick={() => choose(node.name)}>{plain(node.name)}</button>
                {!node.traced && <span class="dim"> not traced</span>}
              </td>
              <Facts red={node} />
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Details({ node, map, close }: { node: Node; map: ServiceMap; close: () => void }) {
  const [to, from] = [map.calls.filter((it) => it.from === node.name), map.calls.filter((it) => it.to === node.name)];
  const names = (calls: string[]) => (calls.length ? calls.map((it) => (it === "user" ? "outside" : plain(it))).join(", ") : "nobody");
  return (
    <section class="panel" aria-label={`Service ${plain(node.name)}`}>
      <div class="bar">
        <h2>{node.name === "user" && !node.traced ? "Outside" : plain(node.name)}</h2>
        <span class="spring" />
        {node.traced && <a class="button" href={tracesAt({ service: node.name })}>Traces</a>}
        {node.traced && node.errors > 0 && <a class="button" href={tracesAt({ service: node.name, errors: true })}>Errors</a>}
        <button class="quiet" aria-label="Close" onClick={close}>✕</button>
      </div>
      <p class="dim">Called by {names(from.map((it) => it.from))}; calls {names(to.map((it) => it.to))}.</p>
      {node.routes.length > 0 && (
        <div class="scroll">
          <table>
            <thead>
              <tr><th>Route</th>{HEADS}</tr>
            </thead>
            <tbody>
              {node.routes.slice(0, 50).map((route) => (
                <tr key={route.name}>
                  <td><a href={tracesAt({ service: node.name, name: route.name })}>{plain(route.name)}</a></td>
                  <Facts red={route} />
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}
