import { evaluate, temporaryFolder } from './scripts';

const folder = temporaryFolder();
afterAll(folder.dispose);

test('a lock is held once, says after its time who has it, and is free again after its holder', async () => {
  const outcome = await evaluate<string[]>(`
import json, pathlib, file_lock
lock = lambda: file_lock.Lock(pathlib.Path(${JSON.stringify(folder.path)}) / "state/run.lock", 1, "the run part")
found = []
with lock():
    try:
        with lock():
            found.append("twice")
    except file_lock.Locked as error:
        found.append(str(error))
with lock():
    found.append("again")
print(json.dumps(found))
`);
  expect(outcome).toEqual(['the run part has been running for 1 s', 'again']);
});
