/** What any program may need of ours: where things are, languages, proxies, its runtime's own options. */
const NEEDED = new RegExp(
  '^(PATH|HOME|USER|LOGNAME|TERM|TZ|LANG|LC_\\w+|TMPDIR|LD_LIBRARY_PATH|(HTTPS?|NO)_PROXY|SSL_CERT_\\w+|' +
    'NODE_(OPTIONS|ENV|EXTRA_CA_CERTS|TLS_REJECT_UNAUTHORIZED|USE_\\w+|COMPILE_CACHE)|UV_\\w+|OPENSSL_CONF|' +
    'LD_PRELOAD|NSS_WRAPPER_\\w+|DYLD_\\w+|_?JAVA_\\w+|JDK_\\w+|MAVEN_\\w+)$',
  'i',
);

/** The part of our environment that a child gets. Whatever else is in it, such as a password, is not its business. */
export function inheritedEnvironment(env: NodeJS.ProcessEnv = process.env): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).filter(
      (entry): entry is [string, string] => NEEDED.test(entry[0]) && entry[1] !== undefined,
    ),
  );
}
