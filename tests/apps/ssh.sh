# ssh-keygen: keys of each kind, fingerprints, signatures.
for kind in ed25519 ecdsa 'rsa -b 2048'; do
    name=${kind%% *}
    ssh-keygen -q -t $kind -N '' -C test -f "$name"
    ssh-keygen -lf "$name.pub" | grep -c SHA256
done
echo text > t && ssh-keygen -q -Y sign -f ed25519 -n file t
printf 'me %s\n' "$(cat ed25519.pub)" > allowed
ssh-keygen -Y verify -f allowed -I me -n file -s t.sig < t | grep -c Good
ssh -V 2>&1 | grep -c OpenSSH
echo done
