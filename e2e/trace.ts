/** What a trace of the browser says about what a person would feel. */
export type Figures = {
  /** Taps and key presses that were answered by a picture. */
  taps: number;
  /** From the tap to the picture, in milliseconds. */
  median: number;
  worst: number;
  /** Tasks of the page's own thread that kept it busy for 50 ms or more. */
  longTasks: number;
  longest: number;
  /** Pictures that were due, and those of them that did not come. */
  frames: number;
  dropped: number;
};

type TraceEvent = {
  name: string;
  ph: string;
  pid: number;
  tid: number;
  dur?: number;
  args?: {
    name?: string;
    data?: { interactionId?: number; duration?: number };
    frame_reporter?: { state?: string; affects_smoothness?: boolean };
  };
};

const LONG_TASK_MS = 50;

/** Reads a trace in Chromium's format (the Trace Event Format; `EventTiming` is the Event Timing API's own record). */
export function summary(trace: Buffer): Figures {
  const { traceEvents } = JSON.parse(trace.toString()) as { traceEvents: TraceEvent[] };
  const latencies = interactions(traceEvents);
  const threads = new Set(
    traceEvents.filter((event) => event.name === 'thread_name' && event.args?.name === 'CrRendererMain').map(thread),
  );
  const tasks = traceEvents
    .filter((event) => event.name === 'RunTask' && threads.has(thread(event)))
    .map((event) => (event.dur ?? 0) / 1000)
    .filter((ms) => ms >= LONG_TASK_MS);
  const frames = traceEvents.flatMap(({ name, args }) => (name === 'PipelineReporter' ? (args?.frame_reporter ?? []) : []));
  return {
    taps: latencies.length,
    median: Math.round(latencies[Math.floor(latencies.length / 2)] ?? 0),
    worst: Math.round(latencies.at(-1) ?? 0),
    longTasks: tasks.length,
    longest: Math.round(Math.max(0, ...tasks)),
    frames: frames.length,
    dropped: frames.filter((frame) => frame.state === 'STATE_DROPPED' && frame.affects_smoothness).length,
  };
}

/** From each interaction to the picture after it, sorted; an interaction is several events, of which the slowest counts. */
function interactions(events: TraceEvent[]): number[] {
  const slowest = new Map<number, number>();
  for (const { name, ph, args } of events) {
    const { interactionId, duration } = args?.data ?? {};
    if (name !== 'EventTiming' || ph !== 'b' || !interactionId || duration === undefined) continue;
    slowest.set(interactionId, Math.max(duration, slowest.get(interactionId) ?? 0));
  }
  return [...slowest.values()].sort((a, b) => a - b);
}

function thread(event: TraceEvent): string {
  return `${event.pid}:${event.tid}`;
}
