# openssl: a TLS server and client over loopback, digests and ciphers with known answers, a certificate.
openssl req -x509 -newkey rsa:2048 -nodes -keyout key -out cert -days 2 -subj /CN=localhost 2> /dev/null
mkdir www && seq 20000 > www/file
(cd www && exec openssl s_server -accept 44330 -key ../key -cert ../cert -WWW -quiet) > server.log 2>&1 &
server=$!
trap 'kill $server' EXIT
for _ in $(seq 100); do
    if printf 'GET /file HTTP/1.0\r\n\r\n' | openssl s_client -quiet -connect 127.0.0.1:44330 -CAfile cert -verify_return_error > reply 2> client.log; then break; fi
    sleep 0.1
done
tail -n 20000 reply | tr -d '\r' | cmp - www/file || { cat server.log client.log; exit 1; }
[ "$(printf abc | openssl dgst -sha512 -r | cut -c1-32)" = ddaf35a193617abacc417349ae204131 ]
[ "$(printf abc | openssl dgst -sha3-256 -r | cut -c1-16)" = 3a985da74fe225b2 ]
for cipher in aes-256-cbc aes-128-ctr chacha20 camellia-128-cbc; do
    openssl enc -$cipher -pbkdf2 -pass pass:x -in www/file -out sealed
    openssl enc -d -$cipher -pbkdf2 -pass pass:x -in sealed | cmp - www/file
done
printf 'Hello' | openssl enc -aes-128-ecb -K 000102030405060708090a0b0c0d0e0f | openssl enc -d -aes-128-ecb -K 000102030405060708090a0b0c0d0e0f | grep -c '^Hello$'
openssl ecparam -name prime256v1 -genkey -noout -out ec && openssl pkey -in ec -pubout -out ec.pub
openssl dgst -sha256 -sign ec -out sig www/file && openssl dgst -sha256 -verify ec.pub -signature sig www/file | grep -c OK
echo done
