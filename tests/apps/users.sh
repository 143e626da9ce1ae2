# su, sudo and dropping privileges: credentials through set-user-id programs, capabilities, ownership.
chmod 755 .
[ "$(su -s /bin/sh nobody -c 'id -un')" = nobody ]
[ "$(setpriv --reuid 1234 --regid 5678 --clear-groups id -u)" = 1234 ]
[ "$(sudo -u daemon id -un)" = daemon ]
install -o nobody -g nogroup -m 600 /dev/null owned
! setpriv --reuid 1234 --clear-groups cat owned 2> /dev/null
useradd -m visitor && passwd -d visitor > /dev/null && su - visitor -c 'test "$HOME" = /home/visitor && echo hi > f'
[ "$(stat -c %U /home/visitor/f)" = visitor ]
userdel -r visitor 2> /dev/null
echo done
