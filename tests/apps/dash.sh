# dash: the shell that runs most maintainer scripts.
dash -eu <<'SCRIPT'
total=0 i=0
while [ $i -lt 20000 ]; do i=$((i + 1)); total=$((total + i % 7)); done
[ $total = 59998 ] || { echo "$total"; exit 1; }
set -- a "b c" d
[ $# = 3 ] && [ "$2" = "b c" ]
case armhf in arm*) ;; *) exit 1 ;; esac
x=$(printf '%s-' 1 2 3); [ "${x%-}" = 1-2-3 ]
f() { local y=5; echo $((y * $1)); }
[ "$(f 8)" = 40 ]
trap 'echo bye > trapped' EXIT
SCRIPT
[ "$(cat trapped)" = bye ]
echo done
