// The end-to-end test of the network reads strace's lines; these are lines that strace 6.1 wrote.
import { describe, expect, test } from 'vitest';
import { addressOf, fileOf } from '../e2e/quiet/trace.ts';

describe('whom a call reaches', () => {
  test.each([
    [
      'connect(3<TCP:[9]>, {sa_family=AF_INET, sin_port=htons(443), sin_addr=inet_addr("1.2.3.4")}, 16) = -1 EINPROGRESS',
      '1.2.3.4 port 443',
    ],
    [
      'connect(4<UDPv6:[9]>, {sa_family=AF_INET6, sin6_port=htons(5), sin6_flowinfo=htonl(0), inet_pton(AF_INET6, "2001::1", &sin6_addr), sin6_scope_id=0}, 28) = 0',
      '2001::1 port 5',
    ],
    [
      'sendto(3<UDP:[9]>, "x", 1, 0, {sa_family=AF_INET, sin_port=htons(53), sin_addr=inet_addr("10.77.0.1")}, 16) = 1',
      '10.77.0.1 port 53',
    ],
    ['sendto(3<UDP:[10.77.0.1:40260->8.8.8.8:53]>, "x", 1, 0, NULL, 0) = 1', '8.8.8.8 port 53'],
    ['sendmsg(3<UDPv6:[[::1]:40->[2001::1]:53]>, {msg_name=NULL}, 0) = 1', '2001::1 port 53'],
    [
      'connect(3<UNIX-STREAM:[9]>, {sa_family=AF_UNIX, sun_path="/var/run/nscd/socket"}, 110) = 0',
      'the cache of look-ups (nscd)',
    ],
    [
      'connect(3<TCP:[9]>, {sa_family=AF_INET, sin_port=htons(9), sin_addr=inet_addr("127.0.0.1")}, 16) = -1 ECONNREFUSED',
      null,
    ],
    [
      'connect(3<UNIX-STREAM:[9]>, {sa_family=AF_UNIX, sun_path=@"/tmp/.X11-unix/X99"}, 20) = 0',
      null,
    ],
    ['sendmsg(3<UNIX-STREAM:[9]>, {msg_name=NULL}, 0) = 1', null],
  ])('%s', (line, address) => expect(addressOf(line)).toBe(address));
});

describe('what a call writes', () => {
  test.each([
    ['openat(AT_FDCWD</work>, "/tmp/a", O_WRONLY|O_CREAT|O_TRUNC, 0666) = 21</tmp/a>', '/tmp/a'],
    ['openat(25</home/x>, "b", O_RDWR|O_CREAT, 0600) = 26</home/x/b>', '/home/x/b'],
    ['openat(AT_FDCWD</work>, "/tmp/a", O_RDONLY|O_CLOEXEC) = 3</tmp/a>', null],
    [
      'openat(AT_FDCWD</work>, "/tmp/a", O_RDWR|O_CREAT, 0666) = -1 EACCES (Permission denied)',
      null,
    ],
    ['mkdir("/home/x/.cache", 0700) = 0', '/home/x/.cache'],
    ['mkdir("/home/x/.cache", 0700) = -1 EEXIST (File exists)', null],
    ['mkdirat(5</home/x>, "y", 0700) = 0', '/home/x/y'],
    ['rename("/tmp/a", "/home/x/b") = 0', '/home/x/b'],
    ['renameat2(AT_FDCWD</place>, "a", AT_FDCWD</place>, "b", 0) = 0', '/place/b'],
    ['symlink("vm-1", "/home/x/lock") = 0', '/home/x/lock'],
  ])('%s', (line, file) => expect(fileOf(line)).toBe(file));
});
