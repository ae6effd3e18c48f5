/**
 * What a node is told about itself and its surroundings: the text of `node.json`, read by the node's scripts
 * (`deployment/node/scripts`). Holds no secret.
 */
export interface NodeSettings {
  /** Full name of the stack. */
  stack: string;
  /** Name of the fleet. */
  fleet: string;
  /** Name of the place. */
  place: string;
  /** The nodes of the place. */
  nodes: {
    /** Ordinal of the first; the others follow it. */
    firstOrdinal: number;
    /** How many they are. */
    count: number;
  };
  /** The GPUs that each node must have, as SkyPilot calls them; null where the fleet declares none. */
  accelerators: {
    /** Kind, such as `T4`. */
    type: string;
    /** How many of it. */
    count: number;
  } | null;
  /** Minutes that a node that stands down waits for its jobs to end, having refused new ones; 0 where it does not wait. */
  drainMinutes: number;
  /** Whether the identity belongs to the place, from a range of ordinals, or to the instance. */
  identity:
    | {
        /** The identity survives a replaced machine. */
        from: 'place';
        /** The ordinals of the fleet. */
        range: {
          /** The first of them. */
          first: number;
          /** The last of them. */
          last: number;
        };
      }
    | {
        /** The identity ends with the instance. */
        from: 'instance';
      };
  /** The compute node. */
  bacalhau: {
    /** Its image. */
    image: string;
    /** NATS addresses of the orchestrators. */
    orchestrators: string[];
    /** TLS to the orchestrators. */
    tls: {
      /** The compute node refuses an orchestrator without TLS. */
      required: boolean;
      /** TLS is ended by a proxy before the orchestrator, which speaks it from the first byte on; needs `required`. */
      handshakeFirst: boolean;
      /** Certificates of the authority in PEM form; null for the authorities that the image trusts. Needs `required`. */
      caCert: string | null;
    };
    /** Labels beside those from the identity. */
    labels: Record<string, string>;
    /** Key of the object in the bucket that holds the orchestrator's token. */
    tokenKey: string;
    /** Folders of the host that jobs may mount, such as `/opt/sensor/data:ro`. */
    allowListedLocalPaths: string[];
    /** Whether jobs may ask for a network. */
    acceptNetworkedJobs: boolean;
    /** `trace`, `debug`, `info`, `warn` or `error`. */
    logLevel: string;
  };
  /** The sensor beside it. */
  sensor: {
    /** Its image. */
    image: string;
  };
  /** The data bucket. */
  bucket: {
    /** Name of the bucket. */
    name: string;
    /** The fleet's folder in it, with a slash at its end. */
    prefix: string;
    /** AWS region of the bucket. */
    region: string;
    /** S3 endpoint instead of AWS's own; null for that one. */
    endpointUrl: string | null;
  };
}

/** The text of `node.json`, laid out so that a diff shows single settings. */
export function renderNodeSettings(settings: NodeSettings): string {
  return `${JSON.stringify(settings, null, 2)}\n`;
}
