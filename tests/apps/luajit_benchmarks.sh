# A guest JIT's own benchmarks: classic programs that LuaJIT compiles to ARM code. Results are those of LuaJIT on amd64;
# the programs use doubles, which do not depend on the machine.
cat > n_body.lua <<'LUA'
local sqrt, year, days = math.sqrt, 4 * math.pi ^ 2, 365.24
local bodies = {
    { 0, 0, 0, 0, 0, 0, year },
    { 4.84143144246472090, -1.16032004402742839, -0.103622044471123109,
      0.00166007664274403694 * days, 0.00769901118419740425 * days, -0.0000690460016972063023 * days, 0.000954791938424326609 * year },
    { 8.34336671824457987, 4.12479856412430479, -0.403523417114321381,
      -0.00276742510726411133 * days, 0.00499852801234917238 * days, 0.0000230417297573763929 * days, 0.000285885980666130812 * year },
    { 12.8943695621391310, -15.1111514016986312, -0.223307578892655734,
      0.00296460137564761618 * days, 0.00237847173959480950 * days, -0.0000296589568540237556 * days, 0.0000436624404335156298 * year },
    { 15.3796971148509165, -25.9193146099879641, 0.179258772950371181,
      0.00268067772490389322 * days, 0.00162824170038242295 * days, -0.0000951592254519715870 * days, 0.0000515138902046611451 * year },
}
local function momentum()
    local x, y, z = 0, 0, 0
    for _, b in ipairs(bodies) do x, y, z = x + b[4] * b[7], y + b[5] * b[7], z + b[6] * b[7] end
    local sun = bodies[1]
    sun[4], sun[5], sun[6] = -x / year, -y / year, -z / year
end
local function energy()
    local e = 0
    for i, a in ipairs(bodies) do
        e = e + 0.5 * a[7] * (a[4] ^ 2 + a[5] ^ 2 + a[6] ^ 2)
        for j = i + 1, #bodies do
            local b = bodies[j]
            e = e - a[7] * b[7] / sqrt((a[1] - b[1]) ^ 2 + (a[2] - b[2]) ^ 2 + (a[3] - b[3]) ^ 2)
        end
    end
    return e
end
local function advance(dt)
    for i = 1, #bodies do
        local a = bodies[i]
        for j = i + 1, #bodies do
            local b = bodies[j]
            local x, y, z = a[1] - b[1], a[2] - b[2], a[3] - b[3]
            local square = x * x + y * y + z * z
            local pull = dt / (square * sqrt(square))
            local ma, mb = b[7] * pull, a[7] * pull
            a[4], a[5], a[6] = a[4] - x * ma, a[5] - y * ma, a[6] - z * ma
            b[4], b[5], b[6] = b[4] + x * mb, b[5] + y * mb, b[6] + z * mb
        end
    end
    for i = 1, #bodies do
        local b = bodies[i]
        b[1], b[2], b[3] = b[1] + dt * b[4], b[2] + dt * b[5], b[3] + dt * b[6]
    end
end
momentum()
io.write(("n-body %.9f"):format(energy()))
for _ = 1, 200000 do advance(0.01) end
io.write((" %.9f\n"):format(energy()))
LUA
cat > spectral_norm.lua <<'LUA'
local n = 300
local function a(i, j) local k = i + j - 1; return 1 / (k * (k - 1) / 2 + i) end
local function times(x, y, transposed)
    for i = 1, n do
        local sum = 0
        for j = 1, n do sum = sum + x[j] * (transposed and a(j, i) or a(i, j)) end
        y[i] = sum
    end
end
local u, v, t = {}, {}, {}
for i = 1, n do u[i] = 1 end
for _ = 1, 10 do
    times(u, t); times(t, v, true)
    times(v, t); times(t, u, true)
end
local uv, vv = 0, 0
for i = 1, n do uv, vv = uv + u[i] * v[i], vv + v[i] * v[i] end
io.write(("spectral-norm %.9f\n"):format(math.sqrt(uv / vv)))
LUA
cat > mandelbrot.lua <<'LUA'
local bit = require("bit")
local n, hash, inside = 400, 0, 0
for y = 0, n - 1 do
    local ci = 2 * y / n - 1
    for x = 0, n - 1 do
        local cr, zr, zi, k = 2 * x / n - 1.5, 0, 0, 0
        while k < 50 and zr * zr + zi * zi <= 4 do
            zr, zi, k = zr * zr - zi * zi + cr, 2 * zr * zi + ci, k + 1
        end
        if k == 50 then inside = inside + 1 end
        hash = bit.bxor(bit.rol(hash, 3), k)
    end
end
io.write("mandelbrot ", inside, " ", bit.tohex(hash), "\n")
LUA
cat > fannkuch.lua <<'LUA'
local function fannkuch(n)
    local p, q, s, sign, most, sum = {}, {}, {}, 1, 0, 0
    for i = 1, n do p[i], q[i], s[i] = i, i, i end
    repeat
        local first = p[1]
        if first ~= 1 then
            for i = 2, n do q[i] = p[i] end
            local flips = 1
            while true do
                local f = q[first]
                if f == 1 then
                    sum = sum + sign * flips
                    if flips > most then most = flips end
                    break
                end
                q[first] = first
                if first >= 4 then
                    local i, j = 2, first - 1
                    repeat q[i], q[j] = q[j], q[i]; i, j = i + 1, j - 1 until i >= j
                end
                first, flips = f, flips + 1
            end
        end
        if sign == 1 then
            p[1], p[2] = p[2], p[1]
            sign = -1
        else
            p[2], p[3] = p[3], p[2]
            sign = 1
            for i = 3, n do
                if s[i] ~= 1 then s[i] = s[i] - 1; break end
                if i == n then return sum, most end
                s[i] = i
                local t = p[1]
                for j = 1, i do p[j] = p[j + 1] end
                p[i + 1] = t
            end
        end
    until false
end
local sum, most = fannkuch(9)
io.write("fannkuch ", sum, " ", most, "\n")
LUA
cat > binary_trees.lua <<'LUA'
local function grow(depth) if depth == 0 then return {} end; return { grow(depth - 1), grow(depth - 1) } end
local function count(t) return t[1] and 1 + count(t[1]) + count(t[2]) or 1 end
local kept, total = grow(13), 0
for depth = 4, 12, 4 do
    local rounds = 2 ^ (14 - depth)
    local nodes = 0
    for _ = 1, rounds do nodes = nodes + count(grow(depth)) end
    io.write("binary-trees ", depth, " ", nodes, "\n")
end
io.write("binary-trees kept ", count(kept), "\n")
LUA
cat > strings.lua <<'LUA'
local words = {}
for i = 1, 60000 do words[i] = ("w%d"):format(i * 7919 % 60000) end
table.sort(words)
local text = table.concat(words, " ")
local seen, digits = 0, 0
for w in text:gmatch("w(%d+)") do seen = seen + 1; digits = digits + tonumber(w) % 7 end
io.write("strings ", #text, " ", seen, " ", digits, " ", words[12345], " ", (text:gsub("9+", "")):len(), "\n")
LUA
cat > expected <<'TEXT'
n-body -0.169075164 -0.169083713
spectral-norm 1.274223986
mandelbrot 63572 79849da8
fannkuch 8629 30
binary-trees 4 31744
binary-trees 8 32704
binary-trees 12 32764
binary-trees kept 16383
strings 408889 60000 179994 w21106 384889
TEXT
for program in n_body spectral_norm mandelbrot fannkuch binary_trees strings; do luajit $program.lua; done > results
diff expected results
# The same by its interpreter, where that takes seconds.
for program in spectral_norm mandelbrot strings; do luajit -joff $program.lua; done > interpreted
grep -E '^(spectral|mandel|strings)' expected | diff - interpreted
echo done
