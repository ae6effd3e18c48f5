/** Something that is wrong with what stands in a place. */
export interface Fault {
  kind: 'gone' | 'stopped' | 'unhealthy' | 'disconnected';
  node: string;
  text: string;
}
