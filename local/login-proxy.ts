import * as fs from 'node:fs';
import * as http from 'node:http';
import * as https from 'node:https';

/*
 * Stands before a SkyPilot server without a login, by TLS, and asks for a token: what a shared server does. Run with the
 * files of its key, its certificate and the token that it takes, which may change, and with the addresses of both ends:
 *
 *   login-proxy.ts KEY CERTIFICATE TOKEN_FILE PORT SERVER
 */
const [key = '', certificate = '', tokenFile = '', port = '', server = ''] = process.argv.slice(2);
const { hostname, port: serverPort } = new URL(server);

https
  .createServer({ key: fs.readFileSync(key), cert: fs.readFileSync(certificate) }, (request, response) => {
    const { authorization, ...headers } = request.headers;
    if (authorization !== `Bearer ${fs.readFileSync(tokenFile, 'utf8').trim()}`) {
      response.writeHead(401).end('{"detail": "the token has expired"}');
      return;
    }
    const onward = http.request(
      { hostname, port: serverPort, path: request.url, method: request.method, headers },
      (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      },
    );
    onward.on('error', () => response.destroy());
    request.pipe(onward);
  })
  .listen(Number(port), '127.0.0.1', () => process.stdout.write('listening\n'));
