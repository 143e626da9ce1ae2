# python3 with threads, processes, sockets, sqlite, ctypes, compression and exact arithmetic.
cat > test.py <<'PY'
import asyncio, concurrent.futures, ctypes, decimal, hashlib, json, lzma, os, platform, re, signal, socket
import sqlite3, struct, subprocess, sys, tempfile, threading, time, zlib

lock, total = threading.Lock(), 0
def add(n):
    global total
    for _ in range(2000):
        with lock:
            total += n
threads = [threading.Thread(target=add, args=(i,)) for i in range(8)]
[t.start() for t in threads]; [t.join() for t in threads]
assert total == 2000 * 28, total

assert subprocess.run(["sh", "-c", "cat; exit 3"], input=b"in", capture_output=True).returncode == 3
assert subprocess.check_output(["uname", "-m"], text=True).strip() == "armv7l" == platform.machine()
try:
    subprocess.run(["/no/such/program"])
    raise SystemExit("posix_spawn reported no error")
except FileNotFoundError:
    pass
with concurrent.futures.ProcessPoolExecutor(2) as pool:
    assert list(pool.map(abs, range(-20, 0))) == list(range(20, 0, -1))

a, b = socket.socketpair()
def echo():
    while data := b.recv(65536):
        b.sendall(data)
threading.Thread(target=echo, daemon=True).start()
for size in (1, 1000, 100000):
    a.sendall(b"x" * size)
    got = 0
    while got < size:
        got += len(a.recv(65536))

async def sleepers():
    p = await asyncio.create_subprocess_exec("sleep", "0.05")
    await asyncio.gather(p.wait(), *(asyncio.sleep(0.01 * i) for i in range(10)))
    return p.returncode
assert asyncio.run(sleepers()) == 0

db = sqlite3.connect("t.db")
db.execute("create table t (a integer primary key, b text)")
db.executemany("insert into t (b) values (?)", ((str(i),) for i in range(5000)))
db.commit()
assert db.execute("select sum(cast(b as integer)) from t").fetchone() == (12497500,)

data = os.urandom(1000) * 200
assert zlib.decompress(zlib.compress(data)) == data and lzma.decompress(lzma.compress(data, preset=1)) == data
assert hashlib.sha1(b"abc").hexdigest() == "a9993e364706816aba3e25717850c26c9cd0d89d"
decimal.getcontext().prec = 60
assert str(decimal.Decimal(2).sqrt()).startswith("1.4142135623730950488016887242096980785696")
assert pow(3, 10**5, 10**30 + 57) == int(pow(3, 10**5) % (10**30 + 57))
assert struct.pack("<dfq", 1.5, 0.1, -2).hex() == "000000000000f83fcdcccc3dfeffffffffffffff"
assert ctypes.sizeof(ctypes.c_void_p) == 4 and sys.maxsize == 2**31 - 1
libc = ctypes.CDLL(None)
assert libc.strtol(b"77", None, 8) == 63
CMP = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_int), ctypes.POINTER(ctypes.c_int))
array = (ctypes.c_int * 100)(*range(100, 0, -1))
libc.qsort(array, 100, 4, CMP(lambda x, y: x[0] - y[0]))
assert list(array) == list(range(1, 101))

hits = []
signal.signal(signal.SIGALRM, lambda *_: hits.append(1))
signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)
deadline = time.monotonic() + 20
while len(hits) < 5 and time.monotonic() < deadline:
    re.sub(r"(a+)+b", "x", "aaaaaaaaaab" * 10)
signal.setitimer(signal.ITIMER_REAL, 0)
assert len(hits) >= 5
assert os.readlink("/proc/self/exe").startswith("/usr/bin/python3"), os.readlink("/proc/self/exe")
assert json.loads(json.dumps({"k": [1, 2.5, None, "ü"]}))["k"][3] == "ü"
def recurse(n): return 0 if n == 0 else 1 + recurse(n - 1)
assert recurse(900) == 900
PY
python3 test.py
echo done
