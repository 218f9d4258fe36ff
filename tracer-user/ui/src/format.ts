// Numbers and times as people read them.

/** Milliseconds. */
export function duration(ms: number): string {
  if (!(ms > 0)) return "0";
  if (ms < 0.001) return `${round(ms * 1e6)} ns`;
  if (ms < 1) return `${round(ms * 1000)} µs`;
  if (ms < 1000) return `${round(ms)} ms`;
  if (ms < 120_000) return `${round(ms / 1000)} s`;
  return `${round(ms / 60_000)} min`;
}

/** Three digits. */
export function round(value: number): string {
  if (value >= 100) return Math.round(value).toLocaleString("en-GB");
  return String(Number(value.toPrecision(value >= 10 ? 3 : 2)));
}

export function count(value: number, one: string, many = `${one}s`): string {
  return `${value.toLocaleString("en-GB")} ${value === 1 ? one : many}`;
}

export function rate(value: number): string {
  if (value === 0) return "0/s";
  return value >= 0.95 ? `${round(value)}/s` : `${round(value * 60)}/min`;
}

export function share(part: number, whole: number): string {
  if (part === 0 || whole === 0) return "0 %";
  const percent = (100 * part) / whole;
  return percent < 0.1 ? "< 0.1 %" : `${round(percent)} %`;
}

export function bytes(value: number): string {
  if (value < 1024) return `${value} B`;
  if (value < 1 << 20) return `${round(value / 1024)} KiB`;
  if (value < 1 << 30) return `${round(value / (1 << 20))} MiB`;
  return `${round(value / (1 << 30))} GiB`;
}

/** Milliseconds since the epoch, as the time of day with milliseconds. */
export function clock(ms: number): string {
  const date = new Date(ms);
  const two = (value: number, length = 2) => String(value).padStart(length, "0");
  const time = [date.getHours(), date.getMinutes(), date.getSeconds()].map((it) => two(it)).join(":");
  return `${time}.${two(date.getMilliseconds(), 3)}`;
}

export function day(ms: number): string {
  return new Date(ms).toLocaleDateString("en-GB", { day: "numeric", month: "short", year: "numeric" });
}

export function ago(ms: number): string {
  const seconds = Math.max(0, (Date.now() - ms) / 1000);
  if (seconds < 90) return `${Math.round(seconds)} s ago`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min ago`;
  if (seconds < 172_800) return `${Math.round(seconds / 3600)} h ago`;
  return `${Math.round(seconds / 86_400)} days ago`;
}

export function span(seconds: number): string {
  if (seconds < 120) return count(Math.round(seconds), "second");
  if (seconds < 7200) return count(Math.round(seconds / 60), "minute");
  return count(Math.round(seconds / 3600), "hour");
}

/** What would steer a reader's eye or a terminal is written out. */
export function plain(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g, (character) => {
    return `\\u{${character.codePointAt(0)!.toString(16)}}`;
  });
}
