/**
 * Counts the rows per sensor id in the node's own database. Opened read-only: the folder is mounted so, and SQLite
 * then needs nothing but the files that the writing sensor keeps beside the database.
 */
const countRows = `
import json, sqlite3
database = sqlite3.connect('file:/sensor/sensor_data.db?mode=ro', uri=True, timeout=10)
rows = database.execute('SELECT sensor_id, COUNT(*) FROM sensor_readings GROUP BY sensor_id')
print(json.dumps(dict(rows.fetchall())))
`.trim();

/** A Bacalhau job, as far as Skyfleet's own jobs need it (`PUT /api/v1/orchestrator/jobs`, field `Job`). */
export interface BacalhauJob {
  Name: string;
  Type: 'batch';
  Count: number;
  Constraints: { Key: string; Operator: '='; Values: string[] }[];
  Tasks: {
    Name: string;
    Engine: { Type: 'docker'; Params: { Image: string; Entrypoint: string[] } };
    InputSources: { Source: { Type: 'localDirectory'; Params: { SourcePath: string } }; Target: string }[];
    Network: { Type: 'None' };
    Resources: { CPU: string; Memory: string };
    Timeouts: { ExecutionTimeout: number; TotalTimeout: number };
  }[];
}

/**
 * The job that proves a node: it runs there, without a network, and prints the number of sensor rows by sensor id as
 * one line of JSON.
 *
 * @param nodeName name of the Bacalhau node that must run it.
 * @param sensorImage an image that is on the node already and has python3 with sqlite3.
 * @param run tells this run from others: Bacalhau 1.9 takes a job of the same name for the same job, and refuses it
 *   when nothing of it changed.
 */
export function sensorRowsJob(nodeName: string, sensorImage: string, run: string): BacalhauJob {
  return {
    Name: `sensor-rows-${nodeName}-${run}`,
    Type: 'batch',
    Count: 1,
    // Bacalhau gives each node its name as a label.
    Constraints: [{ Key: 'name', Operator: '=', Values: [nodeName] }],
    Tasks: [
      {
        Name: 'count',
        Engine: { Type: 'docker', Params: { Image: sensorImage, Entrypoint: ['python3', '-c', countRows] } },
        InputSources: [
          {
            Source: { Type: 'localDirectory', Params: { SourcePath: '/opt/sensor/data' } },
            Target: '/sensor',
          },
        ],
        Network: { Type: 'None' },
        Resources: { CPU: '100m', Memory: '64Mb' },
        Timeouts: { ExecutionTimeout: 60, TotalTimeout: 120 },
      },
    ],
  };
}
