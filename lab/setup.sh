#!/bin/sh
# Installs what the recorder needs on Debian 12. Nothing is started as a system service.
set -e
WORK=${1:-${TMPDIR:-/tmp}/lab}
if [ ! -e /usr/sbin/policy-rc.d ]; then
	printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
	chmod +x /usr/sbin/policy-rc.d
fi
apt-get update
DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
	postgresql-15 nginx-light haproxy apache2 caddy redis-server dnsmasq-base iproute2 procps \
	php-fpm php-pgsql php-redis php-curl ruby ruby-sinatra ruby-pg puma python3-flask python3-psycopg2 python3-sqlalchemy python3-prometheus-client gunicorn \
	libpostgresql-jdbc-java libhikaricp-java libslf4j-java liblogback-java openjdk-17-jdk-headless \
	prometheus-postgres-exporter prometheus-node-exporter prometheus-redis-exporter \
	mariadb-server rabbitmq-server memcached prometheus-mysqld-exporter php-mysql ruby-mysql2 ruby-dalli uvicorn python3-fastapi python3-pymysql \
	faketime pgbouncer libtomcat10-embed-java libjakarta-annotation-api-java libmariadb-java
# A Node.js from elsewhere brings npm along and refuses Debian's.
command -v npm >/dev/null || DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends nodejs npm
mkdir -p "$WORK/npm"
cd "$WORK/npm"
[ -e package.json ] || echo '{"name":"lab","private":true}' >package.json
npm install --no-fund --no-audit express@4 fastify@4 pg@8 pino@10 ioredis@6 prom-client@15 \
	@opentelemetry/api@1 @opentelemetry/sdk-node @opentelemetry/exporter-trace-otlp-http @opentelemetry/instrumentation-http @opentelemetry/instrumentation-express @opentelemetry/instrumentation-pg amqplib@0.10 mysql2@3
[ -e "$WORK/mariatemplate/ibdata1" ] || mariadb-install-db --datadir="$WORK/mariatemplate" --user=mysql --auth-root-authentication-method=normal --skip-test-db
