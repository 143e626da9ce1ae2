# nginx with two workers serving files; curl, wget and a plain socket fetch them.
mkdir www logs && seq 50000 > www/numbers && head -c 1000000 /dev/urandom > www/random
cat > nginx.conf <<CONF
worker_processes 2;
pid $PWD/pid;
error_log $PWD/logs/error;
user root;
events { worker_connections 64; }
http {
    access_log $PWD/logs/access;
    sendfile on; gzip on; gzip_types *;
    client_body_temp_path $PWD/b; proxy_temp_path $PWD/p; fastcgi_temp_path $PWD/f; uwsgi_temp_path $PWD/u; scgi_temp_path $PWD/s;
    server { listen 127.0.0.1:48080; root $PWD/www; }
}
CONF
nginx -c "$PWD/nginx.conf" -e "$PWD/logs/error"
trap 'kill $(cat pid)' EXIT
curl -sf --retry 20 --retry-connrefused --retry-delay 1 http://127.0.0.1:48080/numbers | cmp - www/numbers
curl -sf --compressed http://127.0.0.1:48080/numbers | cmp - www/numbers
wget -qO- http://127.0.0.1:48080/random | cmp - www/random
printf 'GET /numbers HTTP/1.0\r\nRange: bytes=0-9\r\n\r\n' | nc -N 127.0.0.1 48080 | tail -c 10 | cmp - <(head -c 10 www/numbers)
for i in $(seq 8); do curl -sf http://127.0.0.1:48080/random -o "got$i" & done; wait $(jobs -p) || true
for i in $(seq 8); do cmp "got$i" www/random; done
nginx -c "$PWD/nginx.conf" -e "$PWD/logs/error" -s reload && sleep 1
curl -sf http://127.0.0.1:48080/numbers | cmp - www/numbers
[ "$(curl -s -o /dev/null -w '%{http_code}' http://127.0.0.1:48080/none)" = 404 ]
echo done
