#!/bin/sh
# Creates each app's database, and the role that owns it and may enter no other. Each app migrates its own at start.
# The PostgreSQL container runs it on an empty volume. To add an app on an existing volume, run it again:
#   docker compose exec postgres sh /docker-entrypoint-initdb.d/create-databases.sh
set -eu

# name, password
database() {
  psql --quiet --no-psqlrc --username "$POSTGRES_USER" --dbname postgres \
    --set ON_ERROR_STOP=1 --set name="$1" --set password="$2" <<'END'
SELECT format('CREATE ROLE %I LOGIN PASSWORD %L', :'name', :'password')
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'name') \gexec
SELECT format('CREATE DATABASE %I OWNER %I', :'name', :'name')
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'name') \gexec
SELECT format('DO $do$ BEGIN RAISE EXCEPTION %L; END $do$', 'the volume is of an earlier build and cannot be upgraded: ' ||
  'delete it with docker compose down --volumes, then start again')
WHERE EXISTS (SELECT FROM pg_database WHERE datname = :'name' AND datdba <> :'name'::regrole) \gexec
REVOKE ALL ON DATABASE :"name" FROM PUBLIC;
END
}

database sluice_seckill "$SLUICE_SECKILL_DATABASE_PASSWORD"
database sluice_order "$SLUICE_ORDER_DATABASE_PASSWORD"
database sluice_catalog "$SLUICE_CATALOG_DATABASE_PASSWORD"
database sluice_points "$SLUICE_POINTS_DATABASE_PASSWORD"
database sluice_notification "$SLUICE_NOTIFICATION_DATABASE_PASSWORD"
database sluice_merchant_notifier "$SLUICE_MERCHANT_NOTIFIER_DATABASE_PASSWORD"
database sluice_recommendation "$SLUICE_RECOMMENDATION_DATABASE_PASSWORD"
database sluice_statistics "$SLUICE_STATISTICS_DATABASE_PASSWORD"
database sluice_sandbox "$SLUICE_SANDBOX_DATABASE_PASSWORD"
psql --quiet --no-psqlrc --username "$POSTGRES_USER" --dbname postgres \
  --command 'REVOKE ALL ON DATABASE postgres, template1 FROM PUBLIC'
