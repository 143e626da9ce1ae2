# systemd's own programs: version, unit checks, calendar arithmetic, tmpfiles, machine identity.
systemctl --version | grep -c '^systemd 2'
systemd-analyze calendar --iterations=2 'Mon *-*-01 06:00' | grep -c 'Next elapse'
systemd-escape --path /a/b-c | grep -cx 'a-b\\x2dc'
printf 'd %s/made 0750\n' "$PWD" > t.conf && systemd-tmpfiles --create "$PWD/t.conf" && [ "$(stat -c %a made)" = 750 ]
printf '[Unit]\nDescription=x\n[Service]\nExecStart=/bin/true\n' > x.service && systemd-analyze verify ./x.service
systemd-detect-virt --list > /dev/null
[ "$(systemd-id128 new | wc -c)" = 33 ]
dbus-uuidgen | grep -cE '^[0-9a-f]{32}$'
echo done
