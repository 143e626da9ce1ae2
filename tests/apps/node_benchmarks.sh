# A guest JIT's own benchmarks: programs in the manner of the Octane suite, which V8 optimises to ARM code. Results are
# those of Node on amd64; JavaScript's arithmetic does not depend on the machine, but for Math.sin and the like.
cat > bench.js <<'JS'
const assert = require('assert'), crypto = require('crypto');
let seed = 49734321;
const random = () => (seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff);

// A scheduler of tasks that send packets to each other: calls through objects of several shapes.
class Task { constructor(id, priority) { this.id = id; this.priority = priority; this.queue = []; this.held = false; } }
class Idle extends Task {
    constructor(id, count) { super(id, 0); this.count = count; this.v = 1; }
    run(s) {
        if (--this.count === 0) { this.held = true; return; }
        this.v = this.v & 1 ? (this.v >> 1) ^ 0xd008 : this.v >> 1;
        s.send(this.v & 1 ? 5 : 4, { kind: 'wake', to: this.v & 3 });
    }
}
class Worker extends Task {
    constructor(id) { super(id, 1000); this.to = 2; this.letter = 0; }
    run(s) {
        const packet = this.queue.shift();
        if (!packet) { this.held = true; return; }
        this.to = 5 - this.to;
        packet.data = [0, 1, 2, 3].map(() => (this.letter = this.letter % 26 + 1));
        s.send(this.to, packet);
    }
}
class Handler extends Task {
    constructor(id, device) { super(id, 2000); this.device = device; this.sum = 0; }
    run(s) {
        const packet = this.queue.shift();
        if (!packet) { this.held = true; return; }
        for (const letter of packet.data ?? [packet.to]) this.sum = (this.sum * 31 + letter) % 1000003;
        s.send(this.device, { kind: 'data', from: this.id });
    }
}
class Device extends Task {
    run(s) {
        const packet = this.queue.shift();
        if (!packet) { this.held = true; return; }
        s.send(1, packet);
    }
}
class Scheduler {
    constructor(n) {
        this.steps = this.sent = 0;
        this.tasks = [new Idle(0, n), new Worker(1), new Handler(2, 4), new Handler(3, 5), new Device(4, 4000), new Device(5, 5000)];
    }
    send(to, packet) { this.sent++; const t = this.tasks[to]; t.queue.push(packet); t.held = false; }
    run() {
        for (;;) {
            let next = null;
            for (const t of this.tasks) if (!t.held && (!next || t.priority > next.priority)) next = t;
            if (!next || this.steps === 400000) return;
            this.steps++;
            next.run(this);
        }
    }
}
const scheduler = new Scheduler(10000);
scheduler.run();
console.log('richards', scheduler.steps, scheduler.sent, scheduler.tasks[2].sum, scheduler.tasks[3].sum);

// One-way constraints between variables, by strength: a graph of small objects, rebuilt and walked.
class Variable { constructor(value) { this.value = value; this.users = []; this.strength = 9; this.mark = 0; } }
class Constraint {
    constructor(strength, from, to) { this.strength = strength; this.from = from; this.to = to; from.users.push(this); }
}
class Equal extends Constraint { execute() { this.to.value = this.from.value; } }
class Scale extends Constraint {
    constructor(strength, from, to, factor, offset) { super(strength, from, to); this.factor = factor; this.offset = offset; }
    execute() { this.to.value = this.from.value * this.factor + this.offset; }
}
let mark = 0;
function propagate(start) {
    mark++;
    const work = [start];
    for (let v; (v = work.pop());) {
        for (const c of v.users) {
            if (c.to.mark === mark && c.to.strength <= c.strength) continue;
            c.to.mark = mark; c.to.strength = c.strength;
            c.execute();
            work.push(c.to);
        }
    }
}
const chain = Array.from({ length: 2001 }, () => new Variable(0));
for (let i = 0; i < 2000; i++) new (i % 3 ? Equal : Scale)(i % 5, chain[i], chain[i + 1], 1, i % 7);
for (let i = 0; i < 2000; i += 50) new Equal(1, chain[i], chain[i + 25]);
let total = 0;
for (let round = 0; round < 200; round++) {
    chain[0].value = round;
    propagate(chain[0]);
    total = (total + chain[2000].value * (round + 1)) % 1000003;
}
console.log('deltablue', total, chain[1000].value);

// V8 compiles regular expressions, too.
let text = '';
while (text.length < 300000) {
    text += ['GET /a', 'POST /b', 'user@example.org', '2024-02-' + (10 + random() % 20), 'été', '"q\\"d"', String(random())][random() % 7] + ' ';
}
const expressions = [/\d{4}-\d{2}-(?<day>\d{2})/g, /(?:GET|POST) \/[a-z]/g, /[\w.]+@[\w.]+\.org/g, /\p{L}+/gu, /"(?:[^"\\]|\\.)*"/g, /(?<=1)2/g, /(\d)\1/g, /(e|x|ex)*a/gi];
console.log('regex', expressions.map(r => [...text.matchAll(r)].length).join(' '), text.replace(/(\d+)/g, n => n.length).length);

// SHA-256 and modular powers in JavaScript, against OpenSSL's.
const K = [], H = [];
for (let n = 2; K.length < 64; n++) {
    let prime = true;
    for (let d = 2; d * d <= n; d++) if (n % d === 0) prime = false;
    if (!prime) continue;
    const root = (x, k) => { // the first 32 bits of the fraction of the k-th root, exactly
        let r = 0n;
        for (let bit = 1n << 36n; bit; bit >>= 1n) if ((r | bit) ** k <= BigInt(x) << (32n * k)) r |= bit;
        return Number(r & 0xffffffffn) | 0;
    };
    if (H.length < 8) H.push(root(n, 2n));
    K.push(root(n, 3n));
}
function sha256(bytes) {
    const length = bytes.length, padded = new Uint8Array((length + 72) & ~63), view = new DataView(padded.buffer);
    padded.set(bytes); padded[length] = 0x80; view.setUint32(padded.length - 4, length * 8);
    const h = Int32Array.from(H), w = new Int32Array(64), ror = (x, n) => (x >>> n) | (x << (32 - n));
    for (let at = 0; at < padded.length; at += 64) {
        for (let i = 0; i < 16; i++) w[i] = view.getInt32(at + 4 * i);
        for (let i = 16; i < 64; i++) {
            const a = w[i - 15], b = w[i - 2];
            w[i] = w[i - 16] + (ror(a, 7) ^ ror(a, 18) ^ (a >>> 3)) + w[i - 7] + (ror(b, 17) ^ ror(b, 19) ^ (b >>> 10));
        }
        let [a, b, c, d, e, f, g, k] = h;
        for (let i = 0; i < 64; i++) {
            const t = (k + (ror(e, 6) ^ ror(e, 11) ^ ror(e, 25)) + ((e & f) ^ (~e & g)) + K[i] + w[i]) | 0;
            const u = ((ror(a, 2) ^ ror(a, 13) ^ ror(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
            [k, g, f, e, d, c, b, a] = [g, f, e, (d + t) | 0, c, b, a, (t + u) | 0];
        }
        [a, b, c, d, e, f, g, k].forEach((x, i) => (h[i] += x));
    }
    return [...h].map(x => (x >>> 0).toString(16).padStart(8, '0')).join('');
}
const message = Buffer.alloc(300000, () => random()).map(() => random() >> 8);
const digest = sha256(message);
assert.strictEqual(digest, crypto.createHash('sha256').update(message).digest('hex'));
const { publicKey, privateKey } = crypto.generateKeyPairSync('rsa', { modulusLength: 1024 });
const { n, e } = publicKey.export({ format: 'jwk' });
const big = text => BigInt('0x' + Buffer.from(text, 'base64url').toString('hex'));
function power(base, exponent, modulus) {
    let result = 1n;
    for (; exponent; exponent >>= 1n) {
        if (exponent & 1n) result = result * base % modulus;
        base = base * base % modulus;
    }
    return result;
}
const signed = crypto.sign('sha256', message, privateKey);
assert(crypto.verify('sha256', message, publicKey, signed));
const opened = power(BigInt('0x' + signed.toString('hex')), big(e), big(n)).toString(16);
assert(opened.startsWith('1ffff') && opened.endsWith(digest));
const aes = crypto.createCipheriv('aes-256-gcm', Buffer.alloc(32, 7), Buffer.alloc(12, 9));
console.log('crypto', digest.slice(0, 16), Buffer.concat([aes.update(message), aes.final()]).subarray(-4).toString('hex'), aes.getAuthTag().toString('hex'));

// Rays against spheres: doubles, and short-lived objects.
const spheres = Array.from({ length: 12 }, (_, i) => ({ x: i % 4 - 1.5, y: Math.floor(i / 4) - 1, z: 4 + i % 3, r: 0.6 }));
const dot = (a, b) => a.x * b.x + a.y * b.y + a.z * b.z;
let light = 0, hits = 0;
for (let y = 0; y < 160; y++) for (let x = 0; x < 160; x++) {
    const length = Math.hypot(x / 80 - 1, y / 80 - 1, 1.5), ray = { x: (x / 80 - 1) / length, y: (y / 80 - 1) / length, z: 1.5 / length };
    let nearest = Infinity, found = null;
    for (const s of spheres) {
        const b = dot(ray, s), d = b * b - dot(s, s) + s.r * s.r;
        if (d > 0 && b - Math.sqrt(d) < nearest) { nearest = b - Math.sqrt(d); found = s; }
    }
    if (!found) continue;
    hits++;
    light += Math.max(0, (found.z - ray.z * nearest) / found.r);
}
console.log('raytrace', hits, light.toFixed(9));

// A tree that is turned at each access: the garbage collector's work.
let root = null;
function splay(key) {
    const top = { left: null, right: null };
    let l = top, r = top, t = root;
    if (!t) return;
    for (;;) {
        if (key < t.key) {
            if (!t.left) break;
            if (key < t.left.key) { const y = t.left; t.left = y.right; y.right = t; t = y; if (!t.left) break; }
            r.left = t; r = t; t = t.left;
        } else if (key > t.key) {
            if (!t.right) break;
            if (key > t.right.key) { const y = t.right; t.right = y.left; y.left = t; t = y; if (!t.right) break; }
            l.right = t; l = t; t = t.right;
        } else break;
    }
    l.right = t.left; r.left = t.right; t.left = top.right; t.right = top.left;
    root = t;
}
let size = 0;
for (let i = 0; i < 60000; i++) {
    const key = random() % 20000;
    splay(key);
    if (root && root.key === key) continue;
    const node = { key, value: { name: 'node' + key, list: [key, key + 1, key + 2] }, left: null, right: null };
    if (root) {
        if (key > root.key) { node.left = root; node.right = root.right; root.right = null; }
        else { node.right = root; node.left = root.left; root.left = null; }
    }
    root = node; size++;
}
console.log('splay', size, root.key, JSON.stringify(root.value));

const t = new Float64Array(1 << 12).map((_, i) => (i * 7919) % 1000 / 8), words = new Map();
for (let round = 0; round < 60; round++) for (let i = 1; i < t.length; i++) t[i] = (t[i - 1] + t[i]) / 2 + (i & round);
for (const w of text.split(' ')) words.set(w, (words.get(w) ?? 0) + 1);
console.log('arrays', t[4095].toFixed(9), words.size, Number(2n ** 521n % 1000000007n));
JS
cat > expected <<'TEXT'
richards 400000 239998 586974 163467
deltablue 706234 699
regex 4717 9268 4569 46510 4792 870 4142 9196 239544
crypto c35fd17070963745 ab3af9ee 4f31f19a18a99ce834e2322e970b5844
raytrace 7906 5718.342510629
splay 19010 5727 {"name":"node5727","list":[5727,5728,5729]}
arrays 2857.160266353 4669 213363750
TEXT
node --trace-opt bench.js > traced
grep -q 'completed optimizing' traced
grep -v '^\[' traced | diff expected -
# Without compiling on other threads, without the quick compiler, and with objects moved more often.
node --single-threaded --no-sparkplug --gc-interval=5000 bench.js | diff expected -
echo done
