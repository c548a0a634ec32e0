-- Run by the PostgreSQL container on an empty volume. Each app migrates its own database at start.
-- To add an app on an existing volume: docker compose exec postgres createdb --username=sluice <database>
CREATE DATABASE sluice_seckill;
CREATE DATABASE sluice_order;
CREATE DATABASE sluice_catalog;
CREATE DATABASE sluice_points;
CREATE DATABASE sluice_notification;
CREATE DATABASE sluice_merchant_notifier;
CREATE DATABASE sluice_recommendation;
CREATE DATABASE sluice_statistics;
CREATE DATABASE sluice_sandbox;
