# man-db: the index and a formatted page.
mkdir -p share/man/man1
printf '.TH HELLO 1\n.SH NAME\nhello \\- greets the world\n.SH DESCRIPTION\n.B hello\nprints a greeting.\n' > share/man/man1/hello.1
export MANPATH=$PWD/share/man
mandb -q -u "$MANPATH"
man hello | col -b > page 2> /dev/null || man hello > page
grep -q 'prints a greeting' page
apropos greets | grep -c hello
echo done
