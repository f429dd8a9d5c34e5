// What somebody else's function may try. Each value names a kind of attempt with what it needs; the
// result has one line per attempt that succeeded.
const world = (0, eval)('this');
const load = (name) => new Function('name', 'return import(name)')(name);

// A module of the engine, by whatever way is open.
async function builtin(name) {
  const ways = [
    () => world.process.getBuiltinModule(name),
    () => load(name.includes(':') ? name : 'node:' + name),
    () => world.process.mainModule.require(name),
    () => world.process.mainModule.constructor._load(name),
    () => world.process.binding('natives') && world.process.constructor.prototype.require(name),
  ];
  for (const way of ways) {
    try {
      const found = await way();
      if (found) return found.default || found;
    } catch {}
  }
  throw new Error('no way to ' + name);
}

// Calls a function of the C library.
async function libc(name, args, ...values) {
  const { dlopen } = await builtin('bun:ffi');
  return dlopen('libc.so.6', { [name]: { args, returns: 'i32' } }).symbols[name](...values);
}

const soon = (ms) => new Promise((_, no) => setTimeout(no, ms, new Error('nothing happened')));

const kinds = {
  async read(path) {
    const fs = () => builtin('fs');
    return {
      'fs.readFileSync': async () => (await fs()).readFileSync(path).length,
      'fs.promises': async () => (await (await fs()).promises.readFile(path)).length,
      'fs.openSync': async () => (await fs()).openSync(path, 'r'),
      'fs.createReadStream': async () => {
        const stream = (await fs()).createReadStream(path);
        return new Promise((yes, no) => stream.on('data', yes).on('error', no));
      },
      'fs.readdirSync': async () => (await fs()).readdirSync(path.slice(0, path.lastIndexOf('/')) || '/').length,
      'fs.cpSync': async () => (await fs()).copyFileSync(path, '/tmp/pando-copy'),
      'process.binding': () => world.process.binding('fs').readFileUtf8(path, 0).length,
      'import as text': () => load('file://' + path).then((module) => module.default.length),
      'import with a type': () =>
        new Function('path', `return import('file://' + path, { with: { type: 'text' } })`)(path),
      'createRequire': async () => (await builtin('module')).createRequire('file:///')(path),
      'fetch': async () => (await (await fetch('file://' + path)).text()).length,
      'Deno.readTextFileSync': () => world.Deno.readTextFileSync(path).length,
      'Deno.open': async () => (await world.Deno.open(path)).readable && 1,
      'Bun.file': async () => (await world.Bun.file(path).text()).length,
      'bun:ffi': async () => (await libc('open', ['cstring', 'i32'], Buffer.from(path + '\0'), 0)) >= 0 && 'opened',
      'sqlite': async () => new (await builtin('sqlite')).DatabaseSync(path).exec('select 1'),
      'Worker': () =>
        new Promise((yes, no) => {
          const worker = new world.Worker('file://' + path, { type: 'module' });
          worker.onerror = (error) => (error.preventDefault && error.preventDefault(), no(error));
          worker.onmessage = yes;
          setTimeout(no, 300, new Error('no message'));
        }),
      'WebAssembly (WASI)': async () => {
        const { WASI } = await builtin('wasi');
        const wasi = new WASI({ version: 'preview1', preopens: { '/': path.slice(0, path.lastIndexOf('/')) } });
        return wasi.wasiImport && (await fs()).readFileSync(path).length;
      },
      'openAsBlob': async () => (await (await (await fs()).openAsBlob(path)).text()).length,
    };
  },

  async write(folder) {
    const fs = () => builtin('fs');
    const names = [folder, '/tmp', '/dev/shm', '/var/tmp', '/', '/dev'];
    const ways = {
      localStorage: () => (localStorage.setItem('a', 'b'), localStorage.getItem('a')),
      caches: async () => {
        const cache = await caches.open('x');
        await cache.put('http://a/', new Response('x'.repeat(1000)));
        return cache;
      },
      'Deno.makeTempFile': () => world.Deno.makeTempFile(),
      'Deno.openKv': () => world.Deno.openKv(),
      sqlite: async () => {
        const { DatabaseSync } = await builtin('sqlite');
        new DatabaseSync(folder + '/pando.db').exec('create table t (a)');
        return 'made';
      },
      'Bun.write': () => world.Bun.write(folder + '/bun.txt', 'x'),
      'bun:sqlite': async () => {
        const { Database } = await builtin('bun:sqlite');
        new Database(folder + '/bun.db').exec('create table t (a)');
        return 'made';
      },
      heap: async () => (await builtin('v8')).writeHeapSnapshot(folder + '/heap.snapshot'),
    };
    for (const name of names) {
      ways[`fs.writeFileSync ${name}`] = async () => {
        const path = name + '/pando-attempt';
        (await fs()).writeFileSync(path, 'x');
        if (name !== folder) (await fs()).unlinkSync(path);
        return 'written';
      };
      ways[`fs.mkdirSync ${name}`] = async () => {
        const path = name + '/pando-attempt-folder';
        (await fs()).mkdirSync(path);
        (await fs()).rmdirSync(path);
        return 'made';
      };
    }
    return ways;
  },

  async environment() {
    // What an engine needs is no secret.
    const harmless = ['NO_COLOR', 'DENO_DIR', 'PWD'];
    const secret = (env) => Object.keys(env).filter((name) => !harmless.includes(name)).join();
    return {
      'process.env': async () => secret((await builtin('process')).env),
      'Deno.env': () => secret(world.Deno.env.toObject()),
      'Bun.env': () => secret(world.Bun.env),
      '/proc/self/environ': async () =>
        String((await builtin('fs')).readFileSync('/proc/self/environ')).match(/HOME=/) && 'HOME',
    };
  },

  async network(port) {
    const address = { host: '127.0.0.1', port: Number(port) };
    return {
      'net.connect': async () => {
        const socket = (await builtin('net')).connect(address);
        return new Promise((yes, no) => socket.on('connect', () => yes('connected')).on('error', no));
      },
      'http.get': async () => {
        const request = (await builtin('http')).get(`http://127.0.0.1:${port}/`);
        return new Promise((yes, no) => {
          request.on('response', () => yes('answered')).on('error', no);
          request.on('socket', (socket) => socket.on('connect', () => yes('connected')));
        });
      },
      'net.listen': async () => {
        const server = (await builtin('net')).createServer();
        return new Promise((yes, no) =>
          server.on('error', no).listen(0, '127.0.0.1', () => server.close(() => yes('listens'))),
        );
      },
      'net.listen on a path': async () => {
        const server = (await builtin('net')).createServer();
        return new Promise((yes, no) =>
          server.on('error', no).listen('\0pando-attempt-' + Math.random(), () => server.close(() => yes('listens'))),
        );
      },
      'dgram': async () => {
        const socket = (await builtin('dgram')).createSocket('udp4');
        return new Promise((yes, no) => {
          socket.on('error', no);
          socket.send('x', port, '127.0.0.1', (error) => (error ? no(error) : (socket.close(), yes('sent'))));
        });
      },
      'dns.resolve': async () => {
        const { Resolver } = await builtin('dns');
        const resolver = new Resolver({ timeout: 200, tries: 1 });
        resolver.setServers([`127.0.0.1:${port}`]);
        // The test hears of each datagram; no answer comes.
        return new Promise((_, no) => resolver.resolve4('example.com', no));
      },
      fetch: () => Promise.race([fetch(`http://127.0.0.1:${port}/`).then(() => 'answered'), soon(500)]),
      WebSocket: () =>
        new Promise((yes, no) => {
          const socket = new WebSocket(`ws://127.0.0.1:${port}/`);
          socket.onopen = yes;
          socket.onerror = () => no(new Error('refused'));
        }),
      'Deno.connect': () => world.Deno.connect({ hostname: '127.0.0.1', port: Number(port) }),
      'Deno.listen': () => world.Deno.listen({ port: 0 }),
      'Bun.connect': () => world.Bun.connect({ hostname: '127.0.0.1', port: Number(port), socket: { data() {} } }),
      'Bun.listen': () => world.Bun.listen({ hostname: '127.0.0.1', port: 0, socket: { data() {} } }).port,
      'Bun.serve': () => world.Bun.serve({ port: 0, fetch: () => new Response('x') }).port,
      'Bun.udpSocket': async () => (await world.Bun.udpSocket({})).send('x', Number(port), '127.0.0.1') && 'sent',
      'bun:ffi': async () => (await libc('socket', ['i32', 'i32', 'i32'], 2, 1, 0)) >= 0 && 'made',
      'import over http': () => load(`http://127.0.0.1:${port}/x.js`),
    };
  },

  async processes(pid) {
    const child = () => builtin('child_process');
    return {
      execSync: async () => String((await child()).execSync('echo hello')),
      spawnSync: async () => {
        const { status, error } = (await child()).spawnSync(world.process.execPath, ['--version']);
        if (error) throw error;
        return 'status ' + status;
      },
      fork: async () => {
        const forked = (await child()).fork('-e', ['1'], { execArgv: [] });
        return new Promise((yes, no) => forked.on('spawn', () => yes('forked')).on('error', no));
      },
      'Deno.Command': () => new world.Deno.Command(world.Deno.execPath(), { args: ['--version'] }).outputSync(),
      'Bun.spawnSync': () => String(world.Bun.spawnSync([world.process.execPath, '--version']).stdout),
      'Bun.$': async () => (await world.Bun.$`true`.quiet()).exitCode === 0 && world.Bun.$`${world.process.execPath} --version`.text(),
      'bun:ffi': async () => (await libc('fork', [])) > 0 && 'forked',
      'kill by bun:ffi': async () => (await libc('kill', ['i32', 'i32'], Number(pid), 0)) === 0 && 'sent',
      'process.kill': async () => (await builtin('process')).kill(Number(pid), 0),
      'Deno.kill': () => world.Deno.kill(Number(pid), 'SIGCONT') || 'sent',
      'process.binding': () => new (world.process.binding('spawn_sync').spawn)({ file: '/bin/echo', args: ['echo'] }),
      'dlopen': async () => (await builtin('process')).dlopen({ exports: {} }, '/lib/x86_64-linux-gnu/libc.so.6') || 'opened',
      'ffi': () => world.Deno.dlopen('libc.so.6', { getpid: { parameters: [], result: 'i32' } }),
      'setpriority': async () => (await builtin('os')).setPriority(Number(pid), 5) || 'set',
    };
  },

  // How many MiB one core can have.
  async memory(most) {
    const kept = [];
    let had = 0;
    const fill = (more) => {
      try {
        while (had < Number(most)) kept.push(more()), (had += 64);
      } catch {}
    };
    fill(() => new ArrayBuffer(64 << 20));
    fill(() => new WebAssembly.Memory({ initial: 1024 }));
    return { memory: () => had >= Number(most) && 'all of it' };
  },
};

module.exports = async function (line) {
  const [kind, what] = line.split(' ');
  // Some refusals come as uncaught errors, which would hide the attempts after them.
  const process = await builtin('process').catch(() => world);
  if (process.removeAllListeners) {
    process.removeAllListeners('uncaughtException');
    process.removeAllListeners('unhandledRejection');
    process.on('uncaughtException', () => {});
    process.on('unhandledRejection', () => {});
  }
  const opened = [];
  const attempts = await kinds[kind](what);
  for (const name of Object.keys(attempts)) {
    try {
      const value = await Promise.race([attempts[name](), soon(2000)]);
      if (value) opened.push(`${name}`);
    } catch {}
  }
  return `${kind}: ${opened.join(', ') || 'nothing'}`;
};
