# locale-gen, and programs under the locale it makes.
echo 'de_DE.UTF-8 UTF-8' > /etc/locale.gen
locale-gen > log
locale -a | grep -c de_DE
# A process looks for the archive of locales once, so a new one.
[ "$(LC_ALL=de_DE.UTF-8 bash -c 'printf %.2f 3,5')" = 3,50 ]
[ "$(printf 'z\nä\na\n' | LC_ALL=de_DE.UTF-8 sort | paste -sd ' ')" = 'a ä z' ]
LC_ALL=de_DE.UTF-8 date -d 2026-03-01 +%B | grep -c März
echo done
