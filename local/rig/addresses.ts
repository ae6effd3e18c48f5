/** Each rig has a network namespace of its own, so that all of them use the same addresses. */

/** The rig's own end of the instances' network: what they reach the orchestrator and the emulated AWS at. */
export const GATEWAY = '10.255.255.254';

export const AWS_PORT = 5000;
export const AWS_ENDPOINT = `http://127.0.0.1:${AWS_PORT}`;
export const SKY_PORT = 46580;
export const SKY_ENDPOINT = `http://127.0.0.1:${SKY_PORT}`;
export const BACALHAU_API_PORT = 1234;
export const BACALHAU_API = `http://127.0.0.1:${BACALHAU_API_PORT}`;
export const NATS_PORT = 4222;
