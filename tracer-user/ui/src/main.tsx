// The frame: navigation, the tracer's pulse, keys, and the view that the address names.
import { render } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { State } from "./api";
import { FileView } from "./file";
import { MapView } from "./map";
import { TraceView } from "./trace";
import { TracerView } from "./tracer";
import { TracesView } from "./traces";
import { useAnswer, usePlace } from "./use";

// The token has become a cookie; it need not stand where somebody may read or copy it.
const address = new URL(location.href);
if (address.searchParams.has("token")) {
  address.searchParams.delete("token");
  history.replaceState(null, "", address);
}

const THEMES = ["auto", "light", "dark"] as const;

function Theme() {
  const [theme, set] = useState(localStorage.getItem("theme") ?? "auto");
  useEffect(() => {
    document.documentElement.dataset["theme"] = theme;
    localStorage.setItem("theme", theme);
  }, [theme]);
  const next = THEMES[(THEMES.indexOf(theme as "auto") + 1) % THEMES.length]!;
  return (
    <button class="quiet" title={`Colours: ${theme}. Change to ${next}.`} aria-label={`Colours: ${theme}`} onClick={() => set(next)}>
      {theme === "dark" ? "☾" : theme === "light" ? "☀" : "◐"}
    </button>
  );
}

function Pulse({ state, trouble }: { state: State | null; trouble: string | null }) {
  if (trouble) return <a class="pulse bad" href="#/tracer">no answer</a>;
  if (!state) return <span class="pulse" />;
  const lost = Object.values(state.losses).reduce((sum, count) => sum + count, 0);
  if (!state.live) return <a class="pulse bad" href="#/tracer">not tracing</a>;
  return (
    <a class={lost > 0 ? "pulse warn" : "pulse good"} href="#/tracer" title="How the tracer is">
      {lost > 0 ? "tracing, with losses" : "tracing"}
    </a>
  );
}

function Frame() {
  const at = usePlace();
  const { data: state, trouble, status } = useAnswer<State>("/ui/state", 2000);
  useEffect(() => {
    const key = (event: KeyboardEvent) => {
      const typing = (event.target as HTMLElement).closest("input, select, textarea");
      if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
      const views: Record<string, string> = { m: "#/map", t: "#/traces", s: "#/tracer" };
      if (views[event.key]) location.hash = views[event.key]!;
      if (event.key === "/") {
        event.preventDefault();
        if (!document.getElementById("search")) location.hash = "#/traces";
        requestAnimationFrame(() => document.getElementById("search")?.focus());
      }
    };
    addEventListener("keydown", key);
    return () => removeEventListener("keydown", key);
  }, []);
  const link = (view: string, text: string, hint: string) => (
    <a href={`#/${view}`} class={at.view === view || (view === "traces" && at.view === "trace") ? "here" : ""} title={`${text} (${hint})`}>
      {text}
    </a>
  );
  return (
    <>
      <header>
        <a class="brand" href="#/map"><img src="/icon.svg" alt="" />Tracer</a>
        <nav aria-label="Views">
          {link("map", "Map", "m")}
          {link("traces", "Traces", "t")}
          {link("tracer", "Status", "s")}
        </nav>
        <span class="spring" />
        <Pulse state={state} trouble={trouble} />
        <Theme />
      </header>
      {trouble && <p class="banner" role="alert">{trouble}</p>}
      <main>
        {status === 401 ? null : at.view === "traces" ? (
          <TracesView search={at.search} state={state} />
        ) : at.view === "trace" ? (
          <TraceView key={at.rest} id={at.rest} chosen={at.search.get("span")} />
        ) : at.view === "file" ? (
          <FileView />
        ) : at.view === "tracer" ? (
          <TracerView state={state} />
        ) : (
          <MapView state={state} />
        )}
      </main>
    </>
  );
}

render(<Frame />, document.getElementById("page")!);
