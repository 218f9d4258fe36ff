// Hooks: answers of the tracer, kept up to date, and the address after #.
import { useEffect, useRef, useState } from "preact/hooks";
import { ask, Trouble } from "./api";

export interface Answer<T> {
  data: T | null;
  trouble: string | null;
  status: number;
}

/** Asks at once, and again so many milliseconds after each answer; `every` 0 for never. Hidden pages do not ask. */
export function useAnswer<T>(path: string, every: number): Answer<T> {
  const [answer, set] = useState<Answer<T> & { path: string }>({ data: null, trouble: null, status: 200, path });
  useEffect(() => {
    const stop = new AbortController();
    let timer = 0;
    const turn = async () => {
      if (!document.hidden) {
        try {
          const data = await ask<T>(path, stop.signal);
          set({ data, trouble: null, status: 200, path });
        } catch (error) {
          if (stop.signal.aborted) return;
          const trouble = error instanceof Error ? error.message : String(error);
          const status = error instanceof Trouble ? error.status : 0;
          set((before) => ({ data: before.path === path ? before.data : null, trouble, status, path }));
        }
      }
      if (every > 0 && !stop.signal.aborted) timer = window.setTimeout(turn, every);
    };
    void turn();
    return () => {
      stop.abort();
      window.clearTimeout(timer);
    };
  }, [path, every]);
  // What the last search found stays until the next one has found something.
  return answer;
}

export interface Place {
  view: string;
  rest: string;
  search: URLSearchParams;
}

function place(): Place {
  const [path = "", query = ""] = location.hash.replace(/^#\/?/, "").split("?", 2);
  const [view = "", ...rest] = path.split("/");
  return { view: view || "map", rest: rest.join("/"), search: new URLSearchParams(query) };
}

export function usePlace(): Place {
  const [at, set] = useState(place);
  useEffect(() => {
    const moved = () => set(place());
    addEventListener("hashchange", moved);
    return () => removeEventListener("hashchange", moved);
  }, []);
  return at;
}

/** The address of a search, without what is not set. */
export function tracesAt(fields: Record<string, string | number | boolean | undefined>): string {
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries(fields)) {
    if (value !== undefined && value !== "" && value !== false) search.set(key, String(value));
  }
  const text = search.toString();
  return text ? `#/traces?${text}` : "#/traces";
}

/** Width of an element, kept up to date. */
export function useWidth<E extends Element>(): [{ current: E | null }, number] {
  const element = useRef<E>(null);
  const [width, set] = useState(0);
  useEffect(() => {
    if (!element.current) return;
    // In the next frame: what follows from the width may change it.
    let frame = 0;
    const observer = new ResizeObserver(([entry]) => {
      cancelAnimationFrame(frame);
      frame = requestAnimationFrame(() => entry && set(entry.contentRect.width));
    });
    observer.observe(element.current);
    return () => {
      observer.disconnect();
      cancelAnimationFrame(frame);
    };
  }, []);
  return [element, width];
}
