# The everyday tools: sed, awk, grep, sort, find, bc, jq, file, m4, patch, strace-free process listing.
seq 20000 | awk '{ s += $1 ^ 0.5 } END { printf "%.6f\n", s }' > awk
[ "$(cat awk)" = 1885688.586251 ] || { cat awk; exit 1; }
seq 30000 | sed -n 's/^\(.*\)7$/<\1>/p' | wc -l | grep -cx 3000
seq 50000 | sort -R | sort -n --parallel=2 | md5sum > a && seq 50000 | md5sum | cmp - a
seq 100000 | grep -cE '^(1|2)?3+4?' | grep -c .
echo 'scale=50; 4*a(1)' | bc -l | grep -c 3.14159265358979323846264338327950288419716939937
echo '{"a":[{"b":1},{"b":41}]}' | jq '[.a[].b] | add' | grep -cx 42
file -b /bin/ls | grep -c 'ELF 32-bit LSB.*ARM'
echo 'define(`x'"'"', `$1-$1'"'"')x(7)' | m4 | grep -cx 7-7
printf 'a\nb\n' > o && printf 'a\nc\n' > n && (diff -u o n > d || true) && patch -s o d && cmp o n
ps -eo pid,comm | grep -c bash
find /usr/share/doc -name copyright | wc -l | awk '{ exit $1 < 100 }'
timeout 0.3 sleep 5 || [ $? = 124 ]
ls -lR /usr > listing && [ "$(wc -l < listing)" -gt 5000 ]
busybox sh -c 'busybox sha256sum /bin/ls | busybox cut -c1-64' | cmp - <(sha256sum /bin/ls | cut -c1-64)
ldconfig -p | grep -c libc.so.6
df / > /dev/null && ip -V 2> /dev/null || true
echo done
