/**
 * What a node is told about itself and its surroundings: the text of `node.json`, read by the node's scripts
 * (`deployment/node/scripts`). Holds no secret.
 */
export interface NodeSettings {
  stack: string;
  fleet: string;
  place: string;
  nodes: { firstOrdinal: number; count: number };
  /** The GPUs that each node must have, as SkyPilot calls them; null where the fleet declares none. */
  accelerators: { type: string; count: number } | null;
  /** How long a node that stands down waits for its jobs to end, having refused new ones; 0 where it does not wait. */
  drainMinutes: number;
  identity: { from: 'place'; range: { first: number; last: number } } | { from: 'instance' };
  bacalhau: {
    image: string;
    orchestrators: string[];
    tls: {
      /** The compute node refuses an orchestrator without TLS. */
      required: boolean;
      /** TLS is ended by a proxy before the orchestrator, which speaks it from the first byte on; needs `required`. */
      handshakeFirst: boolean;
      /** Certificates of the authority in PEM form; null for the authorities that the image trusts. Needs `required`. */
      caCert: string | null;
    };
    labels: Record<string, string>;
    /** Key of the object in the bucket that holds the orchestrator's token. */
    tokenKey: string;
    allowListedLocalPaths: string[];
    acceptNetworkedJobs: boolean;
    logLevel: string;
  };
  sensor: { image: string };
  bucket: { name: string; prefix: string; region: string; endpointUrl: string | null };
}

/** The text of `node.json`, laid out so that a diff shows single settings. */
export function renderNodeSettings(settings: NodeSettings): string {
  return `${JSON.stringify(settings, null, 2)}\n`;
}
