/** What the server says, as far as the page reads it. */

export interface Track {
  name: string;
  kind: "video" | "audio";
  direction: "recvonly" | "sendonly";
}

/** What goes to one client on one track, in bits a second. */
export interface Outbound {
  track: string;
  kind: "video" | "audio";
  available_outgoing_bitrate?: number | null;
  target_bitrate?: number;
  sent_bitrate?: number;
  frames_waiting?: number;
  frames_skipped?: number;
}

export interface Client {
  role: "controller" | "viewer";
  outbound?: Outbound[];
  since?: number;
  /** The one whose connection the question named. */
  you?: boolean;
}

/** `/session` and the answer to `/start_session`. */
export interface Descriptor {
  session_id?: string;
  number?: number;
  started_at?: number;
  state?: string;
  model?: { name?: string; title?: string; description?: string };
  capabilities?: { tracks?: Track[]; commands?: object[] };
  clients?: Client[];
  free_in?: number | null;
  frames?: number;
  notices?: Record<string, string>;
  last_end?: { reason: string; message: string | null } | null;
}
