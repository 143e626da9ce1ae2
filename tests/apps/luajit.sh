# A guest JIT: LuaJIT compiles hot loops to ARM code, which must agree with its own interpreter.
cat > t.lua <<'LUA'
local bit, ffi = require("bit"), require("ffi")
local h = 0
for i = 1, 3000000 do h = bit.bxor(bit.rol(h, 5), i * 2654435761 % 2 ^ 32) end
io.write(bit.tohex(h), "\n")
local sieve, count = {}, 0
for i = 2, 200000 do
    if not sieve[i] then count = count + 1; for j = i * i, 200000, i do sieve[j] = true end end
end
io.write(count, "\n")
ffi.cdef("typedef struct { double x, y; } point; int snprintf(char *, size_t, const char *, ...);")
local points, sum = ffi.new("point[1000]"), 0
for round = 1, 200 do for i = 0, 999 do
    points[i].x = points[i].x + i * 0.5; points[i].y = math.sqrt(points[i].x); sum = sum + points[i].y
end end
io.write(string.format("%.6f\n", sum))
local function fib(n) return n < 2 and n or fib(n - 1) + fib(n - 2) end
io.write(fib(27), "\n")
local s = {}
for w in ("the quick brown fox "):rep(2000):gmatch("%a+") do s[w] = (s[w] or 0) + 1 end
io.write(s.fox, "\n")
LUA
luajit t.lua > jit && luajit -joff t.lua > interpreted
cmp jit interpreted && grep -qx 17984 jit && grep -qx 196418 jit
luajit -jv -e 'local x = 0 for i = 1, 1e5 do x = x + i end' 2> traces
grep -q TRACE traces
echo done
