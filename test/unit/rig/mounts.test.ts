import { mountPointsBelow } from '../../../local/mounts';

const mountinfo = `23 1 254:0 / / rw - ext4 /dev/vda rw
40 23 0:30 / /state/one rw - tmpfs tmpfs rw
41 40 0:31 / /state/one/inner rw - tmpfs tmpfs rw
42 23 0:32 / /state/one-more rw - tmpfs tmpfs rw
43 23 0:33 / /state/with\\040blank rw - tmpfs tmpfs rw
`;

test('the mounts at and below a folder are listed, the innermost first', () => {
  expect(mountPointsBelow(mountinfo, ['/state/one'])).toEqual(['/state/one/inner', '/state/one']);
});

test('several folders are looked through at once, and blanks are read as the kernel writes them', () => {
  expect(mountPointsBelow(mountinfo, ['/state/one-more', '/state/with blank'])).toEqual([
    '/state/with blank',
    '/state/one-more',
  ]);
});
