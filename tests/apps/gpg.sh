# gpg: key generation (the agent is a daemon of its own), signature, check, a forged text, encryption.
export GNUPGHOME=$PWD/g
mkdir -m 700 "$GNUPGHOME"
gpg --batch -q --pinentry-mode loopback --passphrase '' --quick-gen-key 'T <t@example.org>' ed25519 sign never
gpg --batch -q --pinentry-mode loopback --passphrase '' --quick-gen-key 'E <e@example.org>' rsa2048 sign never
print=$(gpg --batch --with-colons -k e@example.org | awk -F: '$1 == "fpr" { print $10; exit }')
gpg --batch -q --pinentry-mode loopback --passphrase '' --quick-add-key "$print" rsa2048 encr never
echo message > m
gpg --batch -q --pinentry-mode loopback --passphrase '' -u t@example.org --detach-sign m
gpg --batch --verify m.sig m 2> log && grep -q 'Good signature' log
echo forged > m2
! gpg --batch --verify m.sig m2 2> log
grep -q 'BAD signature' log
seq 10000 > plain
gpg --batch -q --trust-model always -r e@example.org -e plain
gpg --batch -q --pinentry-mode loopback --passphrase '' -d plain.gpg | cmp - plain
gpgconf --kill all
echo done
