#!/bin/sh
# Fills the volumes of deploy/compose.yaml: a client CA and a client, a server CA and the certificates of nginx, the signing key,
# and the users of Redis. Runs once, in the container "setup".
set -eu
umask 077
cd /volumes
[ ! -e server/redis-url ] || exit 0

# Without the extensions of the default configuration.
export OPENSSL_CONF=/tmp/openssl.cnf
printf '[req]\ndistinguished_name = none\n[none]\n' > "$OPENSSL_CONF"

new_key() { openssl genpkey -quiet -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1"; }

# new_ca NAME: NAME.pem and NAME-key.pem in /tmp
new_ca() {
    new_key "/tmp/$1-key.pem"
    openssl req -x509 -new -key "/tmp/$1-key.pem" -out "/tmp/$1.pem" -days 3650 -subj "/CN=$1" \
        -addext 'basicConstraints=critical,CA:TRUE' -addext 'keyUsage=critical,keyCertSign,cRLSign'
}

# new_certificate FILE CA HOST USAGE
new_certificate() {
    new_key "$1-key.pem"
    openssl req -x509 -new -key "$1-key.pem" -out "$1.pem" -days 365 -subj "/CN=$3" \
        -CA "/tmp/$2.pem" -CAkey "/tmp/$2-key.pem" \
        -addext 'basicConstraints=critical,CA:FALSE' -addext 'keyUsage=critical,digitalSignature' \
        -addext "extendedKeyUsage=$4" -addext "subjectAltName=DNS:$3"
}

# Clients: their CA is known to nginx and to Countersign.
new_ca client-ca
new_certificate client/billing client-ca billing.example clientAuth
cp /tmp/client-ca.pem nginx/
cp /tmp/client-ca.pem server/

# nginx: the shipped configuration, for these two hosts, this port and the sockets of the two replicas.
new_ca server-ca
cp /tmp/server-ca.pem client/
for host in auth.localhost mtls.auth.localhost; do
    new_certificate "nginx/$host" server-ca "$host" serverAuth
done
replicas='server unix:/run/countersign/1.sock max_fails=0; server unix:/run/countersign/2.sock max_fails=0;'
retry='proxy_next_upstream error timeout http_503 non_idempotent; proxy_next_upstream_tries 2;'
for file in /nginx/*.conf; do
    sed -e 's/auth\.example/auth.localhost/g' -e '/listen \[::\]/d' -e 's/listen 443 /listen 8443 /' \
        -e "s|server unix:/run/countersign/countersign.sock;|$replicas|" \
        -e "s|proxy_pass http://countersign;|& $retry|" \
        -e 's|/var/log/nginx/[a-z.-]*|/dev/stdout|' "$file" > "nginx/${file##*/}"
done

# Countersign: the key that signs tokens.
new_key server/signing-key.pem

# Redis: the two users, as in docs/redis.md and docs/manage-clients.md. Nobody else can log in.
server_password=$(openssl rand -hex 32)
administrator_password=$(openssl rand -hex 32)
cat > redis/users.acl <<EOT
user default off
user countersign-server on >$server_password resetchannels -@all %R~countersign:client:* %R~countersign:registry ~countersign:revocations ~countersign:revoked:* &__redis__:invalidate &countersign:changes +hello +auth +ping +info +get +pttl +set +xrange +xadd +xdel +subscribe +client|id +client|tracking
user administrator on >$administrator_password resetchannels -@all ~countersign:client:* ~countersign:resource:* ~countersign:identity:* ~countersign:audience:* ~countersign:registry ~countersign:revocations ~countersign:keyring ~countersign:apply ~countersign:revoked:* &countersign:changes +hello +auth +ping +info +scan +type +get +smembers +xrange +time +eval_ro +evalsha_ro +eval +evalsha +set +del +sadd +srem +xadd +xdel +publish
EOT
echo "redis://administrator:$administrator_password@redis:6379" > administrator/redis-url

# The user of each container. nginx is in the group of the replicas, so that it can connect to their sockets.
chmod 0750 sockets
chown -R 65532:65532 sockets administrator redis redis-data client
chown -R 101:65532 nginx
# Last: the file that tells a later run that nothing is missing.
echo "redis://countersign-server:$server_password@redis:6379" > server/redis-url.new
chown -R 65532:65532 server
mv server/redis-url.new server/redis-url
