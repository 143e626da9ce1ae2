# A guest JIT: Node's V8, with its worker threads, streams, child processes and timers.
cat > t.js <<'JS'
const assert = require('assert'), crypto = require('crypto'), zlib = require('zlib');
const { execFileSync } = require('child_process'), { Worker } = require('worker_threads'), http = require('http');
let h = 0;
for (let i = 0; i < 5e6; i++) h = (Math.imul(h, 31) + i) | 0;
let f = 0;
for (let i = 1; i < 2e6; i++) f += Math.sqrt(i) / (i % 7 + 1);
const objects = [];
for (let i = 0; i < 50000; i++) objects.push({ id: i, name: 'n' + (i * 7919 % 50000) });
objects.sort((a, b) => a.name < b.name ? -1 : 1);
console.log(h, f.toFixed(6), objects[12345].name);
assert.strictEqual(crypto.createHash('sha256').update('abc').digest('hex').slice(0, 8), 'ba7816bf');
assert.strictEqual(2n ** 200n % 1000007n, BigInt(execFileSync('python3', ['-c', 'print(2**200 % 1000007)']).toString().trim()));
const data = Buffer.from('abc'.repeat(100000));
assert(zlib.gunzipSync(zlib.gzipSync(data)).equals(data));
const worker = new Worker("const {parentPort}=require('worker_threads');let s=0;for(let i=0;i<1e6;i++)s+=i;parentPort.postMessage(s)", { eval: true });
worker.on('message', sum => {
    assert.strictEqual(sum, 499999500000);
    const server = http.createServer((_, reply) => reply.end('served')).listen(0, '127.0.0.1', () =>
        http.get({ port: server.address().port }, reply => reply.on('data', d => { console.log(String(d)); server.close(); })));
});
JS
node t.js > compiled && node --jitless t.js > interpreted
cmp compiled interpreted && grep -q served compiled
[ "$(node -p process.arch)" = arm ]
echo done
