#!/bin/sh
# Writes this shop's own secrets into .env, where docker-compose.yml finds them. An existing secret stays as
# it is: PostgreSQL keeps its first password. A newer version may need another secret; then run this again.
set -eu
cd "$(dirname "$0")/.."

# Letters and digits only: the first ones are part of URLs.
random() { od -An -v -tx1 -N"$1" /dev/urandom | tr -d ' \n'; }

umask 077
touch .env
while IFS= read -r line; do
  grep -q "^${line%%=*}=" .env || echo "$line" >>.env
done <<END
SLUICE_DATABASE_PASSWORD=$(random 24)
SLUICE_SECKILL_DATABASE_PASSWORD=$(random 24)
SLUICE_ORDER_DATABASE_PASSWORD=$(random 24)
SLUICE_CATALOG_DATABASE_PASSWORD=$(random 24)
SLUICE_POINTS_DATABASE_PASSWORD=$(random 24)
SLUICE_NOTIFICATION_DATABASE_PASSWORD=$(random 24)
SLUICE_MERCHANT_NOTIFIER_DATABASE_PASSWORD=$(random 24)
SLUICE_RECOMMENDATION_DATABASE_PASSWORD=$(random 24)
SLUICE_STATISTICS_DATABASE_PASSWORD=$(random 24)
SLUICE_SANDBOX_DATABASE_PASSWORD=$(random 24)
SLUICE_SESSION_SECRET=$(random 48)
SLUICE_PAYMENT_SECRET=$(random 32)
SLUICE_PAYMENT_API_KEY=$(random 32)
SLUICE_SMS_API_KEY=$(random 32)
SLUICE_MERCHANT_SECRET=whsec_$(random 32)
SLUICE_ALERT_SECRET=whsec_$(random 32)
SLUICE_OPERATOR_PASSWORD=$(random 12)
SLUICE_KAFKA_CLUSTER_ID=$(head -c16 /dev/urandom | base64 | tr '+/' 'ab' | tr -d '=')
END
