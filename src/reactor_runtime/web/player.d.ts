/** Types of `<reactor-player>`, which `player.js` defines. */

export type Phase =
  | "asking" | "queued" | "turn" | "loading" | "failed" | "busy" | "closing" | "idle" | "connecting" | "waiting" | "live"
  | "lost" | "gone" | "locked" | "noroute" | "refused" | "ended";

export interface Reply {
  result: unknown;
  /** The index of the first frame that was emitted after the command. */
  frame: number | null;
  /** A newer call of the same command took its place before it ran. */
  superseded: boolean;
  ms: number;
}

export interface ReactorPlayerEventMap {
  phase: CustomEvent<{ phase: Phase; reason: string | null; title: string; sentence: string }>;
  message: CustomEvent<unknown>;
  role: CustomEvent<{ role: "controller" | "viewer"; reason: string }>;
  reply: CustomEvent<Reply & { command: string }>;
  /** A module of the player did not come; `detail`, where there is one, is a sentence. */
  error: Event;
}

export interface ReactorPlayer extends HTMLElement {
  readonly phase: Phase | undefined;
  /** Whether it is this one whose commands count. */
  readonly steers: boolean;
  /** A `File` may be among the values. Rejects with `{code, message, field}`. */
  send(command: string, values?: Record<string, unknown>): Promise<Reply>;
  start(): void;
  stop(): Promise<void> | undefined;
  takeControl(): void;
  addEventListener<K extends keyof ReactorPlayerEventMap>(
    type: K, listener: (event: ReactorPlayerEventMap[K]) => void, options?: boolean | AddEventListenerOptions): void;
  addEventListener(
    type: string, listener: EventListenerOrEventListenerObject, options?: boolean | AddEventListenerOptions): void;
}

declare global {
  interface HTMLElementTagNameMap {
    "reactor-player": ReactorPlayer;
  }
}
