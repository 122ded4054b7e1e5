/** Which proxy leads to an address: the one that a person set, else what the environment says to every program. */

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * @param own from the settings; it is used for everything
 * @param environment HTTPS_PROXY, ALL_PROXY and NO_PROXY, in small letters too, as curl reads them
 * @returns null for none
 */
export function proxyFor(
  address: URL,
  own: string | null,
  environment: Environment = process.env,
): string | null {
  if (own !== null) return own;
  const read = (name: string): string =>
    (environment[name] ?? environment[name.toUpperCase()] ?? '').trim();
  const given = read('https_proxy') || read('all_proxy');
  if (given === '' || isExcepted(address, read('no_proxy'))) return null;
  const proxy = given.includes('://') ? given : `http://${given}`;
  // SOCKS is another protocol; its name in the environment must not stop what goes without it.
  return /^https?:/.test(proxy) && URL.canParse(proxy) ? proxy : null;
}

/** NO_PROXY: hosts with all that is below them, `*` for everything; a port where one is given. */
function isExcepted({ hostname, port, protocol }: URL, list: string): boolean {
  const own = port === '' ? (protocol === 'https:' ? '443' : '80') : port;
  return list
    .toLowerCase()
    .split(/[,\s]+/)
    .filter((entry) => entry !== '')
    .some((entry) => {
      if (entry === '*') return true;
      const [, host = entry, only = own] = /^(.+?)(?::(\d+))?$/.exec(entry) ?? [];
      const name = host.replace(/^\*?\./, '');
      return only === own && (hostname === name || hostname.endsWith(`.${name}`));
    });
}
