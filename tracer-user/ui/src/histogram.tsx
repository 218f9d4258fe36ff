// How long traces took, on a logarithmic axis; dragging over it chooses a range.
import { useRef, useState } from "preact/hooks";
import type { Short } from "./api";
import { count, duration } from "./format";

const BARS = 48;
const HEIGHT = 64;

interface Props {
  traces: Short[];
  /** Milliseconds. */
  range: { min?: number; max?: number };
  choose: (min: number | undefined, max: number | undefined) => void;
}

export function Histogram({ traces, range, choose }: Props) {
  const svg = useRef<SVGSVGElement>(null);
  const [drag, setDrag] = useState<[number, number] | null>(null);
  if (traces.length < 2) return null;
  const times = traces.map((it) => Math.max(it.duration, 1e-3));
  // A little wider than what is there, so that one duration alone has width, too.
  const low = Math.log(Math.min(...times)) - 0.05;
  const high = Math.log(Math.max(...times)) + 0.05;
  const at = (ms: number) => (Math.log(ms) - low) / (high - low);
  const time = (share: number) => Math.exp(low + share * (high - low));
  const bars = Array.from({ length: BARS }, () => ({ all: 0, bad: 0 }));
  traces.forEach((trace, index) => {
    const bar = bars[Math.min(BARS - 1, Math.floor(at(times[index]!) * BARS))]!;
    bar.all += 1;
    bar.bad += Number(trace.errors > 0);
  });
  const most = Math.max(...bars.map((bar) => bar.all));
  const share = (event: PointerEvent) => {
    const box = svg.current!.getBoundingClientRect();
    return Math.min(1, Math.max(0, (event.clientX - box.left) / box.width));
  };
  const finish = () => {
    if (!drag) return;
    const [from, to] = [Math.min(...drag), Math.max(...drag)];
    setDrag(null);
    if (to - from < 0.01) choose(undefined, undefined);
    else choose(from < 0.005 ? undefined : tidy(time(from)), to > 0.995 ? undefined : tidy(time(to)));
  };
  const ticks = [0, 0.25, 0.5, 0.75, 1].map((it) => duration(time(it)));
  return (
    <figure class="histogram">
      <svg
        ref={svg}
        viewBox={`0 0 ${BARS} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`Durations of ${count(traces.length, "trace")}, from ${ticks[0]} to ${ticks[4]}. The fields for the duration choose as dragging does.`}
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId);
          setDrag([share(event), share(event)]);
        }}
        onPointerMove={(event) => drag && setDrag([drag[0], share(event)])}
        onPointerUp={finish}
        onPointerCancel={() => setDrag(null)}
      >
        {bars.map((bar, index) => {
          const tall = (bar.all / most) * (HEIGHT - 4);
          const bad = (bar.bad / most) * (HEIGHT - 4);
          return (
            <g key={index}>
              <rect class="all" x={index + 0.1} width="0.8" y={HEIGHT - tall} height={tall} />
              <rect class="bad" x={index + 0.1} width="0.8" y={HEIGHT - bad} height={bad} />
            </g>
          );
        })}
        {drag && <rect class="brush" x={Math.min(...drag) * BARS} width={Math.abs(drag[1] - drag[0]) * BARS} y="0" height={HEIGHT} />}
      </svg>
      <div class="ticks" aria-hidden="true">{ticks.map((tick) => <span>{tick}</span>)}</div>
      <figcaption class="dim">
        {range.min !== undefined || range.max !== undefined ? (
          <button class="link" onClick={() => choose(undefined, undefined)}>show all durations again</button>
        ) : (
          "drag to choose a range"
        )}
      </figcaption>
    </figure>
  );
}

function tidy(ms: number): number {
  return Number(ms.toPrecision(3));
}
