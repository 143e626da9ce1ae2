# tar, gzip, xz, zstd, bzip2, cpio, zip: there and back.
mkdir tree && for i in $(seq 60); do seq "$i" $((i * 40)) > "tree/file $i"; done
ln -s 'file 3' tree/link && ln 'tree/file 4' tree/hard && mkfifo tree/fifo && head -c 300000 /dev/urandom > tree/random
truncate -s 5M tree/sparse && setfattr -n user.k -v v tree/random
for method in '' z j J; do
    tar --xattrs -S -c${method}f t.tar tree
    mkdir out && tar --xattrs -x${method}f t.tar -C out
    diff -r --no-dereference -x fifo tree out/tree && [ -p out/tree/fifo ]
    [ "$(getfattr --only-values -n user.k out/tree/random)" = v ]
    rm -r out
done
tar -cf plain.tar tree
for tool in gzip bzip2 'xz -T2' 'zstd -q' pigz; do
    $tool < plain.tar > packed && $tool -d < packed | cmp - plain.tar
done
zstd -q -19 --long plain.tar -o l.zst && zstd -q -t l.zst
(cd tree && find . ! -type p -print0 | cpio -0 -o --quiet) > t.cpio && mkdir c && (cd c && cpio -id --quiet < ../t.cpio)
cmp tree/random c/random
zip -qr t.zip tree/random 'tree/file 9' && unzip -tq t.zip
rsync -a tree/ copy/ && diff -r --no-dereference -x fifo tree copy
echo done
