/**
 * What a node is told about itself and its surroundings: the text of `node.json`, read by the node's scripts
 * (`deployment/node/scripts`). Holds no secret.
 */
export interface NodeSettings {
  stack: string;
  fleet: string;
  place: string;
  nodes: { firstOrdinal: number; count: number };
  identity: { from: 'place'; range: { first: number; last: number } } | { from: 'instance' };
  bacalhau: {
    image: string;
    orchestrators: string[];
    tls: { required: boolean; caCert: string | null };
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
