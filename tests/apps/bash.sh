# bash: arrays, arithmetic, process substitution, pipelines, traps, coprocess, here-strings, subshells, globs.
declare -A sizes=([a]=1 [b]=22)
[ "${sizes[b]}" = 22 ]
[ $((7 ** 12 % 1000)) = 201 ]
[ "$(paste -sd, <(seq 3) <(seq 4 6))" = "1,2,3" ] || [ "$(cat <(seq 3) <(seq 4 6) | paste -sd,)" = 1,2,3,4,5,6 ]
sum=0
while read -r n; do sum=$((sum + n)); done < <(seq 1000)
[ $sum = 500500 ]
trap 'echo usr1 > got' USR1
kill -USR1 $$
[ "$(cat got)" = usr1 ]
coproc CAT { cat; }
echo through >&"${CAT[1]}"
read -r line <&"${CAT[0]}"
[ "$line" = through ]
(exit 7) || [ $? = 7 ]
sleep 30 &
kill $!
wait $! || [ $? = 143 ]
touch x1 x2 x3
[ "$(echo x[13])" = "x1 x3" ]
set +o pipefail
yes | head -n 5000 | sort | uniq -c | grep -c 5000
[[ 2026-11-25 =~ ^([0-9]+)-([0-9]+) ]] && [ "${BASH_REMATCH[2]}" = 11 ]
for i in $(seq 200); do /bin/true; done
[ "$(uname -m)" = armv7l ]
echo done
